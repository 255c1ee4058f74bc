import { readlinkSync, realpathSync } from "node:fs";
import path from "node:path";
import { statIfThere } from "./if-there.ts";

/** Returns a path with all symbolic links resolved; the path itself if nothing is there. */
export function realPathIfThere(file: string): string {
  try {
    return realpathSync.native(file);
  } catch {
    return file;
  }
}

/** The kernel follows as many links. */
const longestChain = 40;
/** The kernel finds nothing at a longer path. */
const longestPath = 4096;

/**
 * Returns the real path, even of a missing file: below its nearest existing folder, or at the target of a broken link,
 * which is where writing to it would create it.
 */
export function realPath(file: string, links = longestChain): string {
  const whole = path.resolve(file);
  const { root } = path.parse(whole);
  const names = whole.slice(root.length).split(path.sep);
  const first = (count: number): string => root + names.slice(0, count).join(path.sep);
  let there = statIfThere(whole) === undefined ? 0 : names.length;
  // A configuration may name a path of a million folders, so they are not tried one by one.
  let missing = there > 0 ? there + 1 : leastMissing(names);
  while (missing - there > 1) {
    const middle = (there + missing) >> 1;
    if (statIfThere(first(middle)) === undefined) missing = middle;
    else there = middle;
  }
  const rest = names.slice(there + 1).join(path.sep);
  const target = there < names.length && links > 0 ? linkTarget(first(there + 1)) : undefined;
  if (target !== undefined) return realPath(path.join(path.resolve(first(there), target), rest), links - 1);
  try {
    return path.join(realpathSync.native(first(there)), names.slice(there).join(path.sep));
  } catch {
    return whole;
  }
}

/** Returns a number of the first names with which, as with all of them, nothing can be there. */
function leastMissing(names: readonly string[]): number {
  let length = 0;
  const last = names.findIndex((name) => (length += name.length + 1) > longestPath);
  return last < 0 ? names.length : last + 1;
}

function linkTarget(file: string): string | undefined {
  try {
    return readlinkSync(file);
  } catch {
    return undefined;
  }
}
