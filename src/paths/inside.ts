/** Tests where a path lies, by its name or with all symbolic links resolved. A folder is inside itself. */
import path from "node:path";
import { realPath } from "./reads/real-path.ts";

/** Compares names only; both paths are made absolute and normalized before. */
export function isInside(folder: string, file: string): boolean {
  const relative = path.relative(folder, file);
  return !leadsOut(relative) && !path.isAbsolute(relative);
}

/** Reports whether `file` is inside with all links resolved; a missing file counts where it would be created. */
export function isReallyInside(folder: string, file: string): boolean {
  return isInside(realPath(folder), realPath(file));
}

/** Reports whether a normalized relative path leaves the folder that it starts from. */
export function leadsOut(relative: string): boolean {
  return relative === ".." || relative.startsWith("../") || relative.startsWith(`..${path.sep}`);
}

/**
 * Does the same as `isInside` for normalized names with slashes, in a fraction of the time. Both are absolute, or both
 * are relative to the same folder, which itself has the empty name.
 */
export function isWithin(folder: string, name: string): boolean {
  if (folder === "" || name === folder) return true;
  return name.startsWith(folder) && (name[folder.length] === "/" || folder === "/");
}
