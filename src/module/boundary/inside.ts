/** Tests whether paths lie in a folder, by name or with all symbolic links resolved. */
import { realpathSync } from "node:fs";
import path from "node:path";

/** Compares names only; a folder is inside itself. */
export function isInside(folder: string, file: string): boolean {
  const relative = path.relative(folder, file);
  return relative !== ".." && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative);
}

/** Returns the real path of the nearest existing ancestor of `file`, with the rest of its name appended. */
export function realPath(file: string): string {
  try {
    return realpathSync.native(file);
  } catch {
    const parent = path.dirname(file);
    return parent === file ? file : path.join(realPath(parent), path.basename(file));
  }
}

/**
 * Reports whether `file` lies in the folder with all links resolved; a missing file counts where it would be created.
 */
export function isReallyInside(folder: string, file: string): boolean {
  return isInside(realPath(folder), realPath(file));
}
