/** A module from its folder: out of the cache in milliseconds, or scanned in a child process. */
import path from "node:path";
import { readRegular } from "../paths/index.ts";
import { UserError } from "../errors/index.ts";
import { findGitRoot } from "../tree/index.ts";
import { ModuleCache, type StoredModule } from "./cache.ts";
import { listModuleFiles, moduleDigest } from "./digest.ts";
import { readManifest, type Manifest } from "./manifest.ts";
import { camelCase, pascalCase } from "./names.ts";
import { scanSources } from "./run-scan.ts";
import { listSources } from "./sources.ts";
import type { FunctionInfo, ModuleInfo } from "./types.ts";

/**
 * Reads the module whose dagger.json is in `dir`. Throws `UserError` (exit code 2) with `file:line:col` when the
 * configuration or a source file is broken.
 */
export async function loadModule(dir: string, env: NodeJS.ProcessEnv = process.env): Promise<ModuleInfo> {
  for (let attempt = 1; ; attempt++) {
    const module = await loadOnce(dir, env);
    if (module !== undefined) return module;
    if (attempt === readAttempts)
      throw new UserError("module", "the module's sources change faster than they can be read", { place: dir });
  }
}

const readAttempts = 5;

/** Undefined when the sources changed while they were read: what was found is not that of their digest. */
async function loadOnce(dir: string, env: NodeJS.ProcessEnv): Promise<ModuleInfo | undefined> {
  const cache = new ModuleCache(env);
  const manifest = await readManifest(dir, cache);
  const files = listModuleFiles(manifest);
  let digest = cache.digestOf(manifest.root, files.stat);
  if (digest === undefined) {
    digest = moduleDigest(files);
    if (files.settled) cache.rememberDigest(manifest.root, files.stat, digest);
  }
  let stored = cache.read(digest);
  if (stored === undefined) {
    stored = await scan(manifest, digest);
    if (listModuleFiles(manifest).stat !== files.stat) return undefined;
    cache.store(stored);
  }
  const repository = findGitRoot(manifest.root) ?? manifest.root;
  return {
    ...stored,
    root: manifest.root,
    sourceDir: path.join(manifest.root, manifest.source),
    repository,
    contextDir: repository,
  };
}

async function scan(manifest: Manifest, digest: string): Promise<StoredModule> {
  const mainObject = pascalCase(manifest.name);
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
  const dependencies = manifest.dependencies.map(camelCase);
  const insecurePlaces = placesOf("insecureRootCapabilities", manifest);
  return { name, engineVersion, dependencies, digest, mainObject, insecurePlaces, ...scanned };
}

/** Where a word stands in the sources; one that is put together from parts is not found, and the engine refuses it. */
function placesOf(word: string, { root, source }: Manifest): string[] {
  return listSources(path.join(root, source, "src")).flatMap((file) =>
    readRegular(file)
      .toString("utf8")
      .split("\n")
      .flatMap((line, index) => (line.includes(word) ? [`${path.relative(root, file)}:${index + 1}`] : [])),
  );
}

/** Before v0.19.4, or when dagger.json says so, a function without a policy is cached for the session only. */
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
