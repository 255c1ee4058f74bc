import type { TreeEntry, TreeListing } from "./types.ts";

/** What differs between two listings of the same folder, each list in the listings' order. */
export interface TreeChanges {
  added: TreeEntry[];
  changed: { before: TreeEntry; after: TreeEntry }[];
  removed: TreeEntry[];
}

/**
 * Compares two listings by path. Files that look touched (size, times or inode) are changed unless `sameContent` says
 * that they hold the same bytes; a folder's times say nothing, its children are compared themselves.
 */
export function diffListings(
  before: TreeListing,
  after: TreeListing,
  sameContent: (before: TreeEntry, after: TreeEntry) => boolean = () => false,
): TreeChanges {
  const changes: TreeChanges = { added: [], changed: [], removed: [] };
  const old = new Map(before.entries.map((entry) => [entry.path, entry]));
  for (const entry of after.entries) {
    const previous = old.get(entry.path);
    if (previous === undefined) changes.added.push(entry);
    else if (differs(previous, entry, sameContent)) changes.changed.push({ before: previous, after: entry });
    old.delete(entry.path);
  }
  changes.removed.push(...old.values());
  return changes;
}

/** Whether two listings show the same file untouched: nothing that a write would move has moved. */
export function sameStat(a: TreeEntry, b: TreeEntry): boolean {
  return a.sizeBytes === b.sizeBytes && a.mtimeNs === b.mtimeNs && a.ctimeNs === b.ctimeNs && a.inode === b.inode;
}

function differs(a: TreeEntry, b: TreeEntry, sameContent: (before: TreeEntry, after: TreeEntry) => boolean): boolean {
  if (a.type !== b.type || a.linkTarget !== b.linkTarget) return true;
  if (a.type === "symlink") return false;
  if (a.mode !== b.mode) return true;
  if (a.type === "directory" || sameStat(a, b)) return false;
  return a.sizeBytes !== b.sizeBytes || !sameContent(a, b);
}
