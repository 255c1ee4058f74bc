import { lstatSync, readlinkSync, type BigIntStats, type Dirent } from "node:fs";
import { bigintStatIfThere } from "../../paths/index.ts";
import { compareTreePaths } from "../diff.ts";
import type { TreeEntry } from "../types.ts";

/** Returns one path as a listing has it; undefined if there is nothing, or nothing that belongs in a tree. */
export function statEntry(root: string, path: string): TreeEntry | undefined {
  const absolute = path === "" ? root : `${root}/${path}`;
  const stats = lstatSync(absolute, { bigint: true, throwIfNoEntry: false });
  return stats && entryOf(path, stats, absolute);
}

/** Returns an entry with only what its folder's listing says about a file or link. */
export function namedEntry(path: string, child: Dirent): TreeEntry {
  const type = child.isSymbolicLink() ? "symlink" : "file";
  return { path, type, mode: 0, sizeBytes: 0, mtimeNs: 0n, ctimeNs: 0n, inode: 0n, uid: 0, gid: 0 };
}

/** Returns undefined for sockets, pipes and devices. */
export function entryOf(path: string, stats: BigIntStats, absolute: string): TreeEntry | undefined {
  const type = stats.isFile()
    ? "file"
    : stats.isDirectory()
      ? "directory"
      : stats.isSymbolicLink()
        ? "symlink"
        : undefined;
  if (type === undefined) return undefined;
  const entry: TreeEntry = {
    path,
    type,
    mode: Number(stats.mode) & 0o7777,
    sizeBytes: type === "file" ? Number(stats.size) : 0,
    mtimeNs: stats.mtimeNs,
    // Usually the same moment, so both share one number.
    ctimeNs: stats.ctimeNs === stats.mtimeNs ? stats.mtimeNs : stats.ctimeNs,
    inode: inodeOf(stats),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
  };
  if (type === "symlink") entry.linkTarget = readlinkSync(absolute);
  if (type === "directory") entry.birthtimeNs = stats.birthtimeNs;
  return entry;
}

/** Returns the earlier entry of a path; must be called in the listing's order. */
export type EarlierEntry = (path: string) => TreeEntry | undefined;

export function entriesInOrder(entries: readonly TreeEntry[]): EarlierEntry {
  let position = 0;
  return (path) => {
    for (; position < entries.length; position++) {
      const entry = entries[position]!;
      if (entry.path === path) return entry;
      if (compareTreePaths(entry.path, path) > 0) return undefined;
    }
    return undefined;
  };
}

/** Reports whether a new `stat` result matches the entry. */
export function isUntouched(entry: TreeEntry, stats: BigIntStats): boolean {
  return (
    entry.ctimeNs === stats.ctimeNs &&
    entry.inode === inodeOf(stats) &&
    entry.mtimeNs === stats.mtimeNs &&
    (entry.type === "file"
      ? stats.isFile() && BigInt(entry.sizeBytes) === stats.size
      : entry.type === "directory" && stats.isDirectory()) &&
    entry.mode === (Number(stats.mode) & 0o7777) &&
    entry.uid === Number(stats.uid) &&
    entry.gid === Number(stats.gid)
  );
}

/** Node returns the upper half of inode numbers, which some network and union file systems use, as negative. */
function inodeOf({ ino }: BigIntStats): bigint {
  return BigInt.asUintN(64, ino);
}

/** Returns the identity of a folder, as its name can pass to another one. */
export function identityOf(inode: bigint, birthtimeNs: bigint): bigint {
  return (birthtimeNs << 64n) | BigInt.asUintN(64, inode);
}

/** Returns the identity of the folder at a path; undefined if there is none. */
export function folderIdentity(folder: string): bigint | undefined {
  const stats = bigintStatIfThere(folder);
  return stats?.isDirectory() === true ? identityOf(stats.ino, stats.birthtimeNs) : undefined;
}
