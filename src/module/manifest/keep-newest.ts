import { readdirSync, rmSync, statSync } from "node:fs";
import path from "node:path";

/** An entry touched within this time may be about to be read. */
const inUseMs = 10 * 60_000;

/**
 * Deletes the oldest entries of a folder whose names match `shape`, keeping `count` of them and any that were created
 * or marked in the last ten minutes. Never throws.
 */
export function keepNewest(folder: string, shape: RegExp, count: number): void {
  try {
    const found = readdirSync(folder)
      .filter((name) => shape.test(name))
      .map((name) => path.join(folder, name));
    if (found.length <= count) return;
    const byAge = found
      .map((file) => ({ file, mtimeMs: statSync(file).mtimeMs }))
      .sort((a, b) => b.mtimeMs - a.mtimeMs);
    const unusedSinceMs = Date.now() - inUseMs;
    for (const { file } of byAge.slice(count).filter(({ mtimeMs }) => mtimeMs < unusedSinceMs))
      rmSync(file, { recursive: true, force: true });
  } catch {
    // Another process is deleting the same entries.
  }
}
