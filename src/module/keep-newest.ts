import { readdirSync, rmSync, statSync } from "node:fs";
import path from "node:path";

/** Deletes all but so many of a folder's entries with names of that shape, the oldest first. Never throws. */
export function keepNewest(folder: string, shape: RegExp, count: number): void {
  try {
    const found = readdirSync(folder)
      .filter((name) => shape.test(name))
      .map((name) => path.join(folder, name));
    if (found.length <= count) return;
    const byAge = found
      .map((file) => ({ file, mtimeMs: statSync(file).mtimeMs }))
      .sort((a, b) => b.mtimeMs - a.mtimeMs);
    for (const { file } of byAge.slice(count)) rmSync(file, { recursive: true, force: true });
  } catch {
    // Another process does the same.
  }
}
