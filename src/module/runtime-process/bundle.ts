/**
 * Bundles a module's sources into one file that the function runtime can import; built once for each state of the
 * sources.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import type { BuildFailure, Message, OnResolveResult, Plugin } from "esbuild";
import { UserError } from "../../errors/index.ts";
import { writeFileAtomically } from "../../tree/index.ts";
import { cacheHome, distFile, packageRoot, readRegular } from "../../paths/index.ts";
import { dependencyClient } from "../dependency-client.ts";
import { fencePlugin, packageFolders } from "../boundary/fence.ts";
import { keepNewest } from "../manifest/keep-newest.ts";
import { largestSourceBytes, listSources, requireSettings } from "../sources.ts";
import type { ModuleInfo } from "../types.ts";

export interface ModuleBundle {
  file: string;
  /** Folder that the runtime may read, besides the module itself. */
  folder: string;
}

/** Returns where the bundle of a module is or will be; known before it is built. */
export function bundlePlace(module: ModuleInfo, env: NodeJS.ProcessEnv = process.env): ModuleBundle {
  // Only the type names of dependencies count: other edits of theirs leave the bundle as it is.
  const key = createHash("sha256")
    .update(`${module.ownDigest}\0${dependencyTypes(module).join()}\0${module.sourceDir}\0${sdkIdentity()}`)
    .digest("hex")
    .slice(0, 32);
  const folder = path.join(cacheHome(env), "bundles", key);
  return { folder, file: path.join(folder, "module.mjs") };
}

/**
 * Builds the bundle, unless it exists and its inputs are unchanged. Throws a `UserError` if the module cannot be
 * bundled.
 */
export async function bundleModule(module: ModuleInfo, env: NodeJS.ProcessEnv = process.env): Promise<ModuleBundle> {
  const place = bundlePlace(module, env);
  packageFolders(module);
  requireSettings(module.root, [module.root, module.sourceDir, path.join(module.sourceDir, "src"), module.repository]);
  if (isFresh(place)) {
    markUsed(place);
    return place;
  }
  const { build } = await import("esbuild");
  mkdirSync(place.folder, { recursive: true });
  const tsconfig = writeTsconfig(module, place);
  try {
    const result = await build({
      stdin: {
        contents: entrySource(module),
        resolveDir: path.join(module.sourceDir, "src"),
        sourcefile: "module.ts",
        loader: "ts",
      },
      absWorkingDir: module.sourceDir,
      bundle: true,
      format: "esm",
      platform: "node",
      target: "node20",
      keepNames: true,
      sourcemap: "linked",
      sourcesContent: false,
      outfile: place.file,
      tsconfig,
      write: false,
      metafile: true,
      logLevel: "silent",
      nodePaths: [path.join(packageRoot(), "node_modules")],
      plugins: [sdkPlugin(module), fencePlugin(module), importMetaPlugin(module.sourceDir)],
      banner: { js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);" },
    });
    // The bundle is written last, so that an existing one is complete.
    for (const output of result.outputFiles.toReversed()) writeOutput(output.path, output.contents);
    const outside = Object.keys(result.metafile.inputs)
      .map((file) => path.resolve(module.sourceDir, file))
      .filter((file) => existsSync(file) && !file.startsWith(path.join(module.sourceDir, "src", path.sep)));
    keepNewest(path.dirname(place.folder), /./, keptBundles);
    writeFileAtomically(
      inputsFile(place),
      JSON.stringify(Object.fromEntries(outside.map((file) => [file, stamp(file)]))),
    );
    return place;
  } catch (error) {
    throw isBuildFailure(error) ? buildProblem(error.errors, module) : error;
  }
}

/** Marks a bundle as used, so that a process with newer ones does not remove it before it is read. */
function markUsed({ folder }: ModuleBundle): void {
  try {
    utimesSync(folder, new Date(), new Date());
  } catch {
    // No other process can remove from an unwritable cache either.
  }
}

/** Imports every file for its decorators, as an engine does. */
function entrySource(module: ModuleInfo): string {
  const files = listSources(path.join(module.sourceDir, "src"));
  const imports = files.map((file, index) => `import * as m${index} from ${JSON.stringify(file)};`);
  return [...imports, `export const namespaces = [${files.map((_, index) => `m${index}`).join(", ")}];`].join("\n");
}

/** Sets `experimentalDecorators` on top of the module's own settings, as the engine does. */
function writeTsconfig(module: ModuleInfo, place: ModuleBundle): string {
  const own = path.join(module.sourceDir, "tsconfig.json");
  const file = path.join(place.folder, "tsconfig.json");
  writeFileSync(
    file,
    JSON.stringify({
      ...(existsSync(own) ? { extends: own } : {}),
      compilerOptions: { experimentalDecorators: true, ...(existsSync(own) ? {} : { target: "ES2022" }) },
    }),
  );
  return file;
}

const sdkUrl = (name: string): string =>
  pathToFileURL(distFile(name.endsWith("/telemetry") ? "sdk-telemetry.js" : "sdk.js")).href;

/**
 * Resolves the SDK to the runtime's own copy, so that both share one `dag`. The types of dependencies are added, as in
 * a generated client; the runtime creates them before it loads the bundle (runtime/dependencies.ts).
 */
function sdkPlugin(module: ModuleInfo): Plugin {
  const types = dependencyTypes(module);
  const external = (name: string): OnResolveResult => ({ path: sdkUrl(name), external: true });
  return {
    name: "sdk",
    setup(build) {
      build.onResolve({ filter: /^@dagger\.io\/dagger(\/telemetry)?$/ }, ({ path: name }) =>
        types.length === 0 || name.endsWith("/telemetry") ? external(name) : { path: name, namespace: "client" },
      );
      build.onResolve({ filter: /^file:/, namespace: "client" }, ({ path: url }) => ({ path: url, external: true }));
      build.onLoad({ filter: /.*/, namespace: "client" }, ({ path: name }) => ({
        contents: [
          `export * from ${JSON.stringify(sdkUrl(name))};`,
          `const types = globalThis[Symbol.for("fastloop.dependencies")];`,
          ...types.map((type) => `export const ${type} = types[${JSON.stringify(type)}];`),
        ].join("\n"),
        loader: "js",
      }));
    },
  };
}

function dependencyTypes(module: ModuleInfo): string[] {
  const names = module.dependencies
    .map(dependencyClient)
    .flatMap(({ objects, enums }) => [...Object.keys(objects), ...Object.keys(enums)]);
  return [...new Set(names)].sort();
}

/** Keeps `import.meta.url` of a source file pointing to that file. */
function importMetaPlugin(sourceDir: string): Plugin {
  return {
    name: "import-meta",
    setup(build) {
      build.onLoad({ filter: /\.m?ts$/ }, ({ path: file }) => {
        if (!file.startsWith(sourceDir + path.sep)) return undefined;
        const text = readRegular(file, { maxBytes: largestSourceBytes }).toString("utf8");
        if (!text.includes("import.meta")) return undefined;
        const contents = text
          .replaceAll("import.meta.url", JSON.stringify(pathToFileURL(file).href))
          .replaceAll("import.meta.dirname", JSON.stringify(path.dirname(file)))
          .replaceAll("import.meta.filename", JSON.stringify(file));
        return { contents, loader: "ts" };
      });
    },
  };
}

function buildProblem(errors: Message[], module: ModuleInfo): UserError {
  const [first, ...rest] = errors.map((message) => {
    const at = message.location;
    const file = at === null ? undefined : path.relative(module.root, path.resolve(module.sourceDir, at.file));
    return {
      text: message.text,
      place: at === null || file === undefined ? undefined : `${file}:${at.line}:${at.column + 1}`,
    };
  });
  // A relative import names a missing file, which no installation provides.
  const unresolved = first !== undefined && /^Could not resolve "[^./]/.test(first.text);
  return new UserError("module", first?.text ?? "the module could not be bundled", {
    place: first?.place,
    detail: rest
      .slice(0, 5)
      .map(({ text, place }) => (place === undefined ? text : `${place}: ${text}`))
      .join("\n"),
    hint: unresolved
      ? `install the module's dependencies in ${path.relative(module.root, module.sourceDir) || "."}/`
      : undefined,
  });
}

/** Number of bundles kept; the oldest are deleted first. */
const keptBundles = 50;

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && "errors" in error && Array.isArray(error.errors);
}

function isFresh(place: ModuleBundle): boolean {
  try {
    if (!existsSync(place.file)) return false;
    const inputs = JSON.parse(readFileSync(inputsFile(place), "utf8")) as Record<string, string>;
    return Object.entries(inputs).every(([file, expected]) => stamp(file) === expected);
  } catch {
    return false;
  }
}

function inputsFile(place: ModuleBundle): string {
  return path.join(place.folder, "inputs.json");
}

function writeOutput(file: string, contents: Uint8Array): void {
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, contents);
  renameSync(temporary, file);
}

function stamp(file: string): string {
  const stats = statSync(file, { throwIfNoEntry: false });
  return stats === undefined ? "" : `${stats.size} ${stats.mtimeMs} ${stats.ino}`;
}

/** Another build of the SDK, or the same one in another place, needs another bundle. */
function sdkIdentity(): string {
  const file = distFile("sdk.js");
  return `${file} ${stamp(file)}`;
}
