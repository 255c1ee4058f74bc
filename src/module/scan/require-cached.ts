/** `require` of one large CommonJS file with V8's compiled code cached on disk. */
import { mkdirSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { Script } from "node:vm";
import { writeFileAtomically } from "../../tree/index.ts";

export interface CachedModule {
  exports: unknown;
  /** Saves the cache; call it when the work is done, so that it includes the functions that have run by then. */
  save: () => void;
}

/** Loads `file`. A code cache of another Node or another file is rebuilt; a missing one only costs time. */
export function requireCached(file: string, cacheDir: string): CachedModule {
  const { size, mtimeMs } = statSync(file);
  const cacheFile = path.join(
    cacheDir,
    `${path.basename(file)}-${process.version}-${process.arch}-${size}-${Math.round(mtimeMs)}`,
  );
  const cachedData = readIfPresent(cacheFile);
  const source = readFileSync(file, "utf8");
  const script = new Script(`(function (exports, require, module, __filename, __dirname) {${source}\n})`, {
    filename: file,
    cachedData,
  });
  const run = script.runInThisContext() as (...globals: unknown[]) => void;
  const module: { exports: unknown } = { exports: {} };
  run.call(module.exports, module.exports, createRequire(file), module, file, path.dirname(file));
  const save = (): void => {
    if (cachedData === undefined || script.cachedDataRejected === true)
      writeQuietly(cacheFile, script.createCachedData());
  };
  return { exports: module.exports, save };
}

function readIfPresent(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}

function writeQuietly(file: string, data: Buffer): void {
  try {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileAtomically(file, data);
  } catch {
    // There is no cache then.
  }
}
