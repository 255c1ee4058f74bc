/** Whether paths lie in a folder: by their names, and by what links in them lead to. */
import { realpathSync } from "node:fs";
import path from "node:path";

/** By its name only; a folder is inside of itself. */
export function isInside(folder: string, file: string): boolean {
  const relative = path.relative(folder, file);
  return relative !== ".." && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative);
}

/** The real path of the nearest part of `file` that is there, with the rest of its name behind it. */
export function realPath(file: string): string {
  try {
    return realpathSync.native(file);
  } catch {
    const parent = path.dirname(file);
    return parent === file ? file : path.join(realPath(parent), path.basename(file));
  }
}

/** Whether `file` lies in the folder when all links are followed; what is not there yet lies where it would be made. */
export function isReallyInside(folder: string, file: string): boolean {
  return isInside(realPath(folder), realPath(file));
}
