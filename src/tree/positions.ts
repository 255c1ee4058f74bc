import { compareTreePaths } from "./diff.ts";

/** For lists in the order of their characters, as `sort` has it. */
export const byCharacters = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Position of the first path that does not come before `path`, in the order of a listing unless told otherwise; a map of all would cost more memory than they do. */
export function positionIn(paths: readonly string[], path: string, compare = compareTreePaths): number {
  let [low, high] = [0, paths.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compare(paths[middle]!, path) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
