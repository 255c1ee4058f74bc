import { listTree, PathTest, topmost, type TreeFilter, type TreeListing } from "../../tree/index.ts";

/**
 * Returns existing paths that the filter leaves out by a rule that no engine knows, so that they have to be excluded by
 * name: files and whole folders, relative to the root of the listing that the filter produced.
 */
export function hiddenIn(listing: TreeListing, filter: TreeFilter): string[] {
  if (filter.leaveOut === undefined) return [];
  const wanted = new Set(listing.entries.map(({ path }) => path));
  const { entries } = listTree(listing.root, { ...filter, leaveOut: undefined });
  return [...topmost(entries.flatMap(({ path }) => (wanted.has(path) ? [] : [path])))];
}

/** Narrows `concerns` to paths that the filter selects, for rules that no engine knows. `root` is a real path. */
export function onlySelected(
  root: string,
  filter: TreeFilter,
  concerns?: (path: string) => boolean,
): ((path: string) => boolean) | undefined {
  if (filter.leaveOut === undefined) return concerns;
  let test: PathTest | undefined;
  return (path) => (test ??= new PathTest(root, filter)).selects(path) && concerns?.(path) !== false;
}
