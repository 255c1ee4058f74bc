/** Loads a module from its folder: from the cache in milliseconds, or by a scan in a child process. */
import { hash } from "node:crypto";
import path from "node:path";
import { isInside, readRegular, realPath } from "../paths/index.ts";
import { UserError } from "../errors/index.ts";
import { findGitRoot } from "../tree/index.ts";
import { ModuleCache, type StoredModule } from "./manifest/cache.ts";
import { listModuleFiles, moduleDigest } from "./manifest/digest.ts";
import { folderOfRemote, type MayFetch } from "./git-dependencies.ts";
import { isRemote, readManifest, workspaceFile, type Manifest, type ManifestDependency } from "./manifest/manifest.ts";
import { camelCase, cliName, pascalCase } from "./names.ts";
import { scanSources } from "./run-scan.ts";
import { largestSourceBytes, listSources, requireSources } from "./sources.ts";
import { withEnvDefaults } from "./env-defaults.ts";
import { customize, inPlaceOf, toolchainOf } from "./toolchain.ts";
import type { Dependency, FunctionInfo, ModuleInfo, ObjectInfo, Toolchain } from "./types.ts";

/**
 * Reads the module whose dagger.json is in `dir`. Throws `UserError` (exit code 2) with `file:line:col` when the
 * configuration or a source file is broken.
 */
export async function loadModule(
  dir: string,
  env: NodeJS.ProcessEnv = process.env,
  mayFetch?: MayFetch,
): Promise<ModuleInfo> {
  return new Loader(env, mayFetch).load(dir, []);
}

/** Loads one module and everything it depends on. A module with several dependents is read once. */
class Loader {
  private readonly env: NodeJS.ProcessEnv;
  /** Keyed by the real path of the module's folder. */
  private readonly loaded = new Map<string, ModuleInfo>();

  private readonly mayFetch: MayFetch | undefined;

  constructor(env: NodeJS.ProcessEnv, mayFetch?: MayFetch) {
    this.env = env;
    this.mayFetch = mayFetch;
  }

  /** `dependents`: folders of the modules that led here; depending on one of them again is a cycle. */
  async load(dir: string, dependents: readonly string[]): Promise<ModuleInfo> {
    const { manifest, stored } = await readModule(dir, this.env);
    const repository = findGitRoot(manifest.root) ?? manifest.root;
    const above = [...dependents, manifest.root];
    const dependencies: Dependency[] = [];
    const toolchains: Toolchain[] = [];
    const refused: string[] = [];
    const place = { root: manifest.root, repository };
    // Sequential, so that a module that is still loading is always one of `above`: a cycle is detected instead of
    // deadlocking.
    for (const written of manifest.dependencies) {
      const dependency = await this.dependency(written, manifest, repository, above);
      // A module without code cannot call its toolchains.
      if (written.toolchain === undefined || manifest.hasCode) dependencies.push(dependency);
      if ("refused" in dependency && written.toolchain === undefined && isRemote(written.source))
        refused.push(`the dependency ${written.name} can't be called here: ${dependency.refused}`);
      if (written.toolchain === undefined) continue;
      if ("refused" in dependency) refused.push(`functions of ${written.name} can't run here: ${dependency.refused}`);
      else toolchains.push(await toolchainOf(dependency.module, written, place));
    }
    const warnings = [
      ...stored.warnings,
      ...refused,
      ...manifest.others.map((name) => `${name} is not read: the ${manifest.file} beside it counts`),
      ...manifest.unused.map((key) => `${manifest.file}: \`${key}\` has no effect in fastloop`),
    ];
    // Toolchains are hashed, since a toolchain's digest contains those of its own toolchains, once for each mention.
    const ofToolchains = toolchains.map(({ name, module }) => `${name}@${hash("sha256", module.digest, "hex")}`);
    const below = [...digestsBelow(dependencies), ...ofToolchains];
    const module: ModuleInfo = {
      ...stored,
      warnings,
      dependencies,
      toolchains,
      digest: [stored.ownDigest, ...below.map((each) => each.replaceAll(" ", "+"))].join(" "),
      root: manifest.root,
      sourceDir: path.join(manifest.root, manifest.source),
      repository,
      contextDir: repository,
      ...(manifest.ports.length === 0 ? {} : { ports: manifest.ports }),
    };
    if (manifest.blueprint === undefined) {
      // Users set defaults of what they call; a dependency is called by code.
      return dependents.length === 0 ? withEnvDefaults(module, customize) : module;
    }
    const blueprint = await this.dependency(manifest.blueprint, manifest, repository, above);
    if ("refused" in blueprint)
      throw new UserError("engine-unsupported", `the blueprint needs a Dagger engine: ${blueprint.refused}`, {
        place: await manifest.blueprint.place(),
        hint: "with an engine, `dagger functions`, `dagger call` and `dagger check` run it",
      });
    const used = await toolchainOf(blueprint.module, manifest.blueprint, place);
    // A workspace has no name of its own.
    return inPlaceOf(module, used.module, {
      name: used.name,
      ...(manifest.file === workspaceFile ? {} : { project: cliName(manifest.name) }),
    });
  }

  private async dependency(
    dependency: ManifestDependency,
    { root }: Manifest,
    repository: string,
    dependents: readonly string[],
  ): Promise<Dependency> {
    const { name: written, source, place } = dependency;
    const name = camelCase(written);
    const remote = isRemote(source) ? await folderOfRemote(dependency, this.env, this.mayFetch) : undefined;
    if (remote !== undefined && "refused" in remote) return { name, refused: remote.refused };
    const folder = realPath(remote?.folder ?? path.resolve(root, source));
    if (remote === undefined && !isInside(realPath(repository), folder))
      throw new UserError("module", `the dependency ${written} leads out of the repository: ${source}`, {
        place: await place(),
      });
    if (dependents.includes(folder))
      throw new UserError(
        "module",
        `the dependency ${written} leads back to this module: ${cycle(folder, dependents, repository)}`,
        {
          place: await place(),
          hint: "move what both need into a third module",
        },
      );
    try {
      const module = this.loaded.get(folder) ?? (await this.load(folder, dependents));
      this.loaded.set(folder, module);
      return { name, module };
    } catch (error) {
      // A module in another language needs an engine, which matters only once it is called.
      if (error instanceof UserError && error.code === "engine-unsupported") return { name, refused: error.message };
      throw error;
    }
  }
}

const cycle = (folder: string, dependents: readonly string[], repository: string): string =>
  [...dependents.slice(dependents.indexOf(folder)), folder]
    .map((each) => path.relative(repository, each) || ".")
    .join(" -> ");

/**
 * Returns `name@digest` of each module once, in an order that does not depend on who names it first. Each module is
 * visited once: if every module names the next one twice, the number of paths doubles with each module.
 */
function digestsBelow(dependencies: readonly Dependency[]): string[] {
  const found = new Set<string>();
  const seen = new Set<ModuleInfo>();
  const rest = [...dependencies];
  for (let dependency = rest.pop(); dependency !== undefined; dependency = rest.pop()) {
    if (!("module" in dependency)) continue;
    const { name, module } = dependency;
    found.add(`${name}@${module.ownDigest}`);
    if (!seen.has(module)) rest.push(...module.dependencies);
    seen.add(module);
  }
  return [...found].sort();
}

async function readModule(dir: string, env: NodeJS.ProcessEnv): Promise<{ manifest: Manifest; stored: StoredModule }> {
  for (let attempt = 1; ; attempt++) {
    const module = await readOnce(dir, env);
    if (module !== undefined) return module;
    if (attempt === readAttempts)
      throw new UserError("module", "the module's sources change faster than they can be read", { place: dir });
  }
}

const readAttempts = 5;

/** Returns undefined if the sources changed while they were read, as the result then does not match their digest. */
async function readOnce(
  dir: string,
  env: NodeJS.ProcessEnv,
): Promise<{ manifest: Manifest; stored: StoredModule } | undefined> {
  const cache = new ModuleCache(env);
  const manifest = await readManifest(dir, cache, env);
  const files = listModuleFiles(manifest);
  let digest = cache.digestOf(manifest.root, files.stat);
  if (digest === undefined) {
    if (manifest.hasCode) requireSources(manifest.root, path.join(manifest.root, manifest.source));
    digest = moduleDigest(files);
    if (files.settled) cache.rememberDigest(manifest.root, files.stat, digest);
  }
  let stored = cache.read(digest);
  if (stored === undefined) {
    stored = await scan(manifest, digest);
    if (listModuleFiles(manifest).stat !== files.stat) return undefined;
    cache.store(stored);
  }
  return { manifest, stored };
}

async function scan(manifest: Manifest, digest: string): Promise<StoredModule> {
  const mainObject = pascalCase(manifest.name);
  if (!manifest.hasCode) return { ...withoutCode(manifest, mainObject), ownDigest: digest };
  const scanned = await scanSources({
    root: manifest.root,
    sourceDir: path.join(manifest.root, manifest.source),
    name: manifest.name,
    mainObject,
  });
  if (hasSessionCaching(manifest)) {
    for (const object of Object.values(scanned.objects)) Object.values(object.functions).forEach(cachePerSession);
  }
  const { name, engineVersion } = manifest;
  const insecurePlaces = placesOf("insecureRootCapabilities", manifest);
  return { name, engineVersion, ownDigest: digest, mainObject, insecurePlaces, ...scanned };
}

/** A module without code; its functions come from its toolchains. */
function withoutCode({ name, engineVersion }: Manifest, mainObject: string): Omit<StoredModule, "ownDigest"> {
  const main: ObjectInfo = { name: mainObject, description: "", kind: "class", functions: {}, fields: {} };
  const nothing = { enums: {}, interfaces: {}, description: "", warnings: [], insecurePlaces: [] };
  return { name, engineVersion, isCodeless: true, mainObject, objects: { [mainObject]: main }, ...nothing };
}

/**
 * Returns the lines that contain a word. A word put together from parts is not found; the engine refuses the option
 * then.
 */
function placesOf(word: string, { root, source }: Manifest): string[] {
  return listSources(path.join(root, source, "src")).flatMap((file) =>
    readRegular(file, { maxBytes: largestSourceBytes })
      .toString("utf8")
      .split("\n")
      .flatMap((line, index) => (line.includes(word) ? [`${path.relative(root, file)}:${index + 1}`] : [])),
  );
}

/** Before v0.19.4, or if dagger.json says so, functions without a cache policy are cached for the session only. */
function hasSessionCaching(manifest: Manifest): boolean {
  if (manifest.disableDefaultFunctionCaching) return true;
  const version = /^v?(\d+)\.(\d+)\.(\d+)/.exec(manifest.engineVersion)?.slice(1).map(Number);
  if (version === undefined) return true;
  const [major = 0, minor = 0, patch = 0] = version;
  return major === 0 && (minor < 19 || (minor === 19 && patch < 4));
}

function cachePerSession(fn: FunctionInfo): void {
  fn.cache ??= "session";
}
