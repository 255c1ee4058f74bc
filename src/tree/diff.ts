import type { TreeEntry, TreeListing } from "./types.ts";

/** Differences between two listings of the same folder, each list in the listings' order. */
export interface TreeChanges {
  added: TreeEntry[];
  changed: { before: TreeEntry; after: TreeEntry }[];
  removed: TreeEntry[];
}

/**
 * Compares two listings by path. Files that were touched (size, times or inode) count as changed unless `sameContent`
 * reports the same bytes. A folder's times do not count, as its children are compared themselves.
 */
export function diffListings(
  before: TreeListing,
  after: TreeListing,
  sameContent: (before: TreeEntry, after: TreeEntry) => boolean = () => false,
): TreeChanges {
  const changes: TreeChanges = { added: [], changed: [], removed: [] };
  const old = before.entries;
  let next = 0;
  for (const entry of after.entries) {
    let order = next < old.length ? compareTreePaths(old[next]!.path, entry.path) : 1;
    while (order < 0) {
      changes.removed.push(old[next++]!);
      order = next < old.length ? compareTreePaths(old[next]!.path, entry.path) : 1;
    }
    if (order > 0) changes.added.push(entry);
    else {
      const previous = old[next++]!;
      if (differs(previous, entry, sameContent)) changes.changed.push({ before: previous, after: entry });
    }
  }
  while (next < old.length) changes.removed.push(old[next++]!);
  return changes;
}

/** Returns the paths that differ between two listings; a folder's times do not count. */
export function changedPaths(
  before: TreeListing,
  after: TreeListing,
  sameContent?: (before: TreeEntry, after: TreeEntry) => boolean,
): string[] {
  const { added, changed, removed } = diffListings(before, after, sameContent);
  return [...added, ...removed, ...changed.map((change) => change.after)].map((entry) => entry.path);
}

/** Compares paths in the order of listings: parents before children, siblings by the bytes of their names. */
export function compareTreePaths(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const left = a.charCodeAt(index);
    const right = b.charCodeAt(index);
    if (left !== right) return rank(left) - rank(right);
  }
  return a.length - b.length;
}

/** Ranks UTF-16 units in the order of UTF-8 bytes, with the separator first. */
function rank(unit: number): number {
  if (unit === 0x2f) return -1;
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

/** Sorts the children of one folder in the order of listings. */
export function sortByName(children: { name: string }[]): void {
  // UTF-16 order equals UTF-8 order, except for surrogates and the few code points above them.
  const unusual = children.some((child) => /[\uD800-\uFFFF]/.test(child.name));
  if (unusual) children.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  else children.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Fields that every write changes. */
type StatIdentity = Pick<TreeEntry, "sizeBytes" | "mtimeNs" | "ctimeNs" | "inode">;

/** Reports whether a file is untouched between two listings: no field changed that a write would change. */
export function sameStat(a: StatIdentity, b: StatIdentity): boolean {
  return a.sizeBytes === b.sizeBytes && a.mtimeNs === b.mtimeNs && a.ctimeNs === b.ctimeNs && a.inode === b.inode;
}

/**
 * Reports whether two scans saw the same: every field of `lstat` that can show a change, except the times of folders.
 * Unchanged entries are mostly the same objects in both.
 */
export function sameListing(a: TreeListing, b: TreeListing): boolean {
  return (
    a.root === b.root &&
    a.entries.length === b.entries.length &&
    a.entries.every((entry, at) => entry === b.entries[at] || sameEntry(entry, b.entries[at]!))
  );
}

function sameEntry(a: TreeEntry, b: TreeEntry): boolean {
  if (a.type !== b.type || a.path !== b.path || a.mode !== b.mode) return false;
  return (
    a.type === "directory" || (sameStat(a, b) && a.uid === b.uid && a.gid === b.gid && a.linkTarget === b.linkTarget)
  );
}

function differs(a: TreeEntry, b: TreeEntry, sameContent: (before: TreeEntry, after: TreeEntry) => boolean): boolean {
  if (a.type !== b.type || a.linkTarget !== b.linkTarget) return true;
  if (a.type === "symlink") return false;
  if (a.mode !== b.mode) return true;
  if (a.type === "directory" || sameStat(a, b)) return false;
  return a.sizeBytes !== b.sizeBytes || !sameContent(a, b);
}
