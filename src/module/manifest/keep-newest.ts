import { readdirSync, rmSync, statSync } from "node:fs";
import path from "node:path";

/** What somebody has touched this shortly ago may be about to be read. */
const inUseMs = 10 * 60_000;

/**
 * Deletes all but so many of a folder's entries with names of that shape, the oldest first, and none that was made or marked
 * lately. Never throws.
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
    // Another process does the same.
  }
}
