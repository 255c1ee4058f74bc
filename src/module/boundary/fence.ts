/**
 * What a bundle may hold: files that lie, by their real path, in the module, in packages of its repository or in our own.
 * A clone is bundled by the user's own process, which may read far more than that.
 */
import path from "node:path";
import { existsSync, statSync } from "node:fs";
import type { Plugin } from "esbuild";
import { UserError } from "../../errors/index.ts";
import { ignoredFiles } from "./ignored.ts";
import { isInside, isReallyInside, realPath } from "./inside.ts";
import { distFile, packageRoot } from "../../paths/index.ts";
import type { ModuleInfo } from "../types.ts";

type Place = Pick<ModuleInfo, "root" | "sourceDir" | "repository">;

/** Marks the resolution that the plugin itself asked for. */
const ours = Symbol("resolved by the fence");

/** Refuses each import that leads elsewhere, at its own place. */
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
          // What can't be resolved is esbuild's to tell.
          if (found.errors.length > 0 || found.external || found.namespace !== "file") return undefined;
          const problem = why(found.path, isPackageName(name));
          if (problem === undefined) return undefined;
          // A source of the module that is itself a link is imported by us and not by the user.
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

/** Why a file may not be in the bundle; undefined when it may. */
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
      // Generated code is often ignored; a file of data is the user's own.
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

/** Git's own files hold credentials, ours hold results; some file systems don't tell capitals apart. */
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
 * Folders that hold the module's packages: `node_modules` beside its sources and beside its dagger.json. Throws a
 * `UserError` where one is a link that leaves the repository; one to another place of the same repository is a workspace's.
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
