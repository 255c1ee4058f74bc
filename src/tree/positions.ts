import { compareTreePaths } from "./diff.ts";

/** Compares by character, as `sort` does by default. */
export const byCharacters = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * Returns the position of the first path not before `path`, by default in the order of a listing. A map of all paths
 * would take more memory than the paths.
 */
export function positionIn(paths: readonly string[], path: string, compare = compareTreePaths): number {
  let [low, high] = [0, paths.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compare(paths[middle]!, path) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
