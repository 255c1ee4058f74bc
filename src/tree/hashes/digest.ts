import { createHash, type Hash } from "node:crypto";
import type { ContentHasher } from "./hasher.ts";
import type { TreeEntry, TreeListing } from "../types.ts";

/**
 * Returns the identity of a snapshot: an equal digest means that nobody touched the tree in between. It includes every
 * field of `lstat` that can show a change, but not the root, so a moved tree keeps its identity only if its inodes stay
 * the same.
 */
export function treeStatDigest(
  listing: TreeListing,
  /** If false, a folder counts only by name and mode; its content shows in its own entries. */
  options: { folderTimes: boolean } = { folderTimes: true },
): string {
  const steps = treeStatDigestSteps(listing, options);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

const entriesPerStep = 1000;

/** Does the same in steps, so that other work can run in between. */
export function* treeStatDigestSteps(
  listing: TreeListing,
  options: { folderTimes: boolean } = { folderTimes: true },
): Generator<void, string> {
  const batch = new HashBatch();
  for (const [index, entry] of listing.entries.entries()) {
    if (index % entriesPerStep === 0) yield;
    if (entry.type === "directory" && !options.folderTimes) {
      batch.add(`d${entry.mode.toString(8)} ${entry.path}\0\n`);
      continue;
    }
    batch.add(
      `${entry.type[0]}${entry.mode.toString(8)} ${entry.sizeBytes} ${entry.mtimeNs} ${entry.ctimeNs} ${entry.inode} ` +
        `${entry.uid}:${entry.gid} ${entry.path}\0${entry.linkTarget ?? ""}\n`,
    );
  }
  return batch.digest();
}

/**
 * Returns the digest of what a function would read: for each path its type and permission bits, and a file's content
 * hash or a link's text. Times, owner and inode are left out, as they differ between two clones of the same commit.
 */
export function contentDigest(
  listing: TreeListing,
  hasher: ContentHasher,
  /** Restricts the digest to these entries, with paths relative to this folder; for a selection of a larger scan. */
  part: { indices?: Uint32Array; below?: string } = {},
): string {
  const batch = new HashBatch();
  const cut = part.below === undefined || part.below === "" ? 0 : part.below.length + 1;
  const length = part.indices?.length ?? listing.entries.length;
  for (let index = 0; index < length; index++) {
    const entry = listing.entries[part.indices === undefined ? index : part.indices[index]!]!;
    batch.add(`${entry.path.slice(cut)}\0${contentKey(listing.root, entry, hasher)}\n`);
  }
  return batch.digest();
}

/** Returns one entry's content in the form that manifests store: type, permission bits, then hash or link text. */
export function contentKey(root: string, entry: TreeEntry, hasher: ContentHasher): string {
  if (entry.type === "symlink") return `l ${entry.linkTarget}`;
  if (entry.type === "directory") return `d${entry.mode.toString(8)}`;
  return `f${entry.mode.toString(8)} ${hasher.hash(root, entry)}`;
}

/** Returns the same for an entry of an earlier scan, as it was then; undefined if it was not hashed then. */
export function earlierContentKey(root: string, entry: TreeEntry, hasher: ContentHasher): string | undefined {
  if (entry.type === "symlink") return `l ${entry.linkTarget}`;
  if (entry.type === "directory") return `d${entry.mode.toString(8)}`;
  const hash = hasher.earlierHash(root, entry);
  return hash === undefined ? undefined : `f${entry.mode.toString(8)} ${hash}`;
}

/** Feeds a hash in large pieces, as one call per entry would cost more than the hashing. */
class HashBatch {
  private readonly hash: Hash = createHash("sha256");
  private pending = "";

  add(text: string): void {
    this.pending += text;
    if (this.pending.length > 65_536) this.flush();
  }

  digest(): string {
    this.flush();
    return this.hash.digest("hex");
  }

  private flush(): void {
    this.hash.update(this.pending, "utf8");
    this.pending = "";
  }
}
