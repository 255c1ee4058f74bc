import { compareTreePaths } from "./diff.ts";

/** Position of the first path that does not come before `path`; a map of all would cost more memory than they do. */
export function positionIn(paths: readonly string[], path: string): number {
  let [low, high] = [0, paths.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareTreePaths(paths[middle]!, path) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
