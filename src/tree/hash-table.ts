import { compareTreePaths } from "./diff.ts";
import { positionIn } from "./positions.ts";
import type { TreeEntry } from "./types.ts";

/** What was read of one file, and the `lstat` identity that it had. */
interface KnownHash {
  sizeBytes: number;
  mtimeNs: bigint;
  ctimeNs: bigint;
  inode: bigint;
  hash: string;
}

/** The hashes of one root as they are stored: columns in the order of a listing. */
export interface HashColumns {
  paths: string[];
  sizesBytes: Float64Array;
  mtimesNs: BigInt64Array;
  ctimesNs: BigInt64Array;
  inodes: BigUint64Array;
  /** 64 hex digits each. */
  hashes: string;
}

/**
 * Content hashes of the files of one root. What a file of the cache held stays in its columns: a hundred thousand files
 * are neither made into objects nor compared as text before anything has changed.
 */
export class HashTable {
  private readonly stored: HashColumns;
  /** Read since; hides what is stored under the same path. */
  private readonly fresh = new Map<string, KnownHash>();
  private readonly gone = new Set<string>();
  /** Scans ask in the order of the columns: mostly the next one is meant. */
  private next = 0;

  constructor(stored: HashColumns = emptyColumns()) {
    this.stored = stored;
  }

  /** The hash of a file that has not been touched since it was read. */
  get({ path, sizeBytes, mtimeNs, ctimeNs, inode }: TreeEntry): string | undefined {
    const read = this.fresh.size === 0 ? undefined : this.fresh.get(path);
    if (read !== undefined) {
      const same = read.ctimeNs === ctimeNs && read.mtimeNs === mtimeNs && read.inode === inode && read.sizeBytes === sizeBytes;
      return same ? read.hash : undefined;
    }
    const at = this.positionOf(path);
    if (at === undefined) return undefined;
    const { stored } = this;
    const same =
      stored.ctimesNs[at] === ctimeNs && stored.mtimesNs[at] === mtimeNs && stored.inodes[at] === inode && stored.sizesBytes[at] === sizeBytes;
    return same ? stored.hashes.slice(at * 64, at * 64 + 64) : undefined;
  }

  set({ path, sizeBytes, mtimeNs, ctimeNs, inode }: TreeEntry, hash: string): void {
    this.fresh.set(path, { sizeBytes, mtimeNs, ctimeNs, inode, hash });
  }

  /** Forgets what `isPresent` does not name; returns whether there was any. */
  retain(isPresent: (path: string) => boolean): boolean {
    const before = this.fresh.size - this.gone.size;
    for (const path of this.fresh.keys()) if (!isPresent(path)) this.fresh.delete(path);
    for (const path of this.stored.paths) if (!isPresent(path)) this.gone.add(path);
    return this.fresh.size - this.gone.size !== before;
  }

  /** The files that were stored, in the order of a listing. */
  get storedPaths(): readonly string[] {
    return this.stored.paths;
  }

  /** All of it, in the order of a listing. */
  columns(): HashColumns {
    const kept = this.stored.paths.flatMap((path, at) => (this.gone.has(path) || this.fresh.has(path) ? [] : [{ path, at }]));
    const added = [...this.fresh.keys()].sort(compareTreePaths).map((path) => ({ path, at: -1 }));
    const merged: { path: string; at: number }[] = [];
    for (let from = 0, to = 0; from < kept.length || to < added.length; ) {
      const takesKept = to === added.length || (from < kept.length && compareTreePaths(kept[from]!.path, added[to]!.path) < 0);
      merged.push(takesKept ? kept[from++]! : added[to++]!);
    }
    const result = emptyColumns(merged.length);
    const { stored } = this;
    const hashes: string[] = [];
    for (const [index, { path, at }] of merged.entries()) {
      const read = this.fresh.get(path);
      result.sizesBytes[index] = read === undefined ? stored.sizesBytes[at]! : read.sizeBytes;
      result.mtimesNs[index] = read === undefined ? stored.mtimesNs[at]! : read.mtimeNs;
      result.ctimesNs[index] = read === undefined ? stored.ctimesNs[at]! : read.ctimeNs;
      result.inodes[index] = read === undefined ? stored.inodes[at]! : read.inode;
      hashes.push(read === undefined ? stored.hashes.slice(at * 64, at * 64 + 64) : read.hash);
    }
    return { ...result, paths: merged.map(({ path }) => path), hashes: hashes.join("") };
  }

  private positionOf(path: string): number | undefined {
    const { paths } = this.stored;
    let at = this.next;
    if (paths[at] !== path) {
      at = positionIn(paths, path);
      if (paths[at] !== path) return undefined;
    }
    // The text that the entry keeps anyway: once all were asked for, that of the file is let go.
    paths[at] = path;
    if (this.gone.size > 0 && this.gone.has(path)) return undefined;
    this.next = at + 1;
    return at;
  }
}

function emptyColumns(length = 0): HashColumns {
  return {
    paths: [],
    sizesBytes: new Float64Array(length),
    mtimesNs: new BigInt64Array(length),
    ctimesNs: new BigInt64Array(length),
    inodes: new BigUint64Array(length),
    hashes: "",
  };
}
