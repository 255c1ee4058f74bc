/**
 * Limits what a bundle may contain to files whose real path is in the module, in packages of its repository, or in
 * fastloop itself. A clone is bundled by the user's own process, which may read far more than that.
 */
import path from "node:path";
import { existsSync, statSync } from "node:fs";
import type { Plugin } from "esbuild";
import { UserError } from "../../errors/index.ts";
import { ignoredFiles } from "./ignored.ts";
import { distFile, isInside, isReallyInside, packageRoot, realPath } from "../../paths/index.ts";
import type { ModuleInfo } from "../types.ts";

type Place = Pick<ModuleInfo, "root" | "sourceDir" | "repository">;

/** Marks resolutions that the plugin itself requested. */
const ours = Symbol("resolved by the fence");

/** Rejects each import that leads elsewhere, at the place of the import. */
export function fencePlugin(module: Place): Plugin {
  const why = fence(module);
  return {
    name: "fence",
    setup(build) {
      build.onResolve(
        { filter: /.*/ },
        async ({ path: name, pluginData, importer, namespace, resolveDir, kind, with: attributes }) => {
          if (pluginData === ours) return undefined;
          const found = await build.resolve(name, {
            importer,
            namespace,
            resolveDir,
            kind,
            with: attributes,
            pluginData: ours,
          });
          // esbuild reports what it cannot resolve.
          if (found.errors.length > 0 || found.external || found.namespace !== "file") return undefined;
          const problem = why(found.path, isPackageName(name));
          if (problem === undefined) return undefined;
          // A module's source that is itself a link is imported by the generated entry, not by the user.
          const location =
            importer.endsWith("module.ts") && kind === "import-statement" && path.isAbsolute(name)
              ? { file: name, line: 1, column: 0 }
              : null;
          return { errors: [{ text: problem, ...(location === null ? {} : { location }) }] };
        },
      );
    },
  };
}

/** Returns a function that explains why a file may not be in the bundle; it returns undefined if the file may. */
function fence(module: Place): (file: string, byName: boolean) => string | undefined {
  let ignored: readonly string[] | undefined;
  const [moduleRoot, repository, own, blocks] = [
    realPath(module.root),
    realPath(module.repository),
    realPath(path.join(packageRoot(), "node_modules")),
    // `fastloop/pipelines`, wherever fastloop is installed.
    realPath(distFile("pipelines.js")),
  ];
  return (file, byName) => {
    const real = realPath(file);
    if (statSync(real, { throwIfNoEntry: false })?.isFile() === false)
      return `this import leads to ${real}, which is no file`;
    if (isInside(own, real) || real === blocks) return undefined;
    const isPackage = byName || real.split(path.sep).includes("node_modules");
    if (isInside(isPackage ? repository : moduleRoot, real) && !isKept(real, repository)) {
      // Generated code is often ignored by git; a data file that git ignores is private to the user.
      if (isPackage || isCode(real)) return undefined;
      ignored ??= ignoredFiles(module).map(realPath);
      if (!ignored.some((place) => isInside(place, real))) return undefined;
      return "git ignores this file, so it is no part of the module: a Dagger engine would not have it";
    }
    return `this import leads to ${real}, which is ${isPackage ? "in no package of this repository" : "no file of the module"}`;
  };
}

function isCode(file: string): boolean {
  return /\.[cm]?[jt]sx?$/.test(file);
}

/** Git's own files hold credentials, and fastloop's hold results. Some file systems ignore case. */
function isKept(file: string, repository: string): boolean {
  return path
    .relative(repository, file)
    .toLowerCase()
    .split(path.sep)
    .some((part) => part === ".git" || part === ".fastloop");
}

function isPackageName(name: string): boolean {
  return !name.startsWith(".") && !path.isAbsolute(name) && !/^[a-z]+:/i.test(name);
}

/**
 * Returns the folders of the module's packages: `node_modules` beside its sources and beside its dagger.json. Throws a
 * `UserError` if one is a link out of the repository; a link within it belongs to a workspace.
 */
export function packageFolders({ root, sourceDir, repository }: Place): string[] {
  const folders = [...new Set([root, sourceDir])]
    .map((folder) => path.join(folder, "node_modules"))
    .filter((folder) => existsSync(folder));
  for (const folder of folders) {
    if (isReallyInside(repository, folder)) continue;
    throw new UserError("module", `node_modules is a link to ${realPath(folder)}, which is not in this repository`, {
      place: path.relative(root, folder),
      hint: "install the packages in the module's own folder",
    });
  }
  return folders;
}
