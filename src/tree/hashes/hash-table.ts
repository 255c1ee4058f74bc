import { compareTreePaths, sameStat } from "../diff.ts";
import { positionIn } from "../positions.ts";
import type { TreeEntry } from "../types.ts";

/** Hash of one file, and the `lstat` identity it had. */
interface KnownHash {
  sizeBytes: number;
  mtimeNs: bigint;
  ctimeNs: bigint;
  inode: bigint;
  hash: string;
  /** The previous hash, kept until everything is stored: holders of an earlier scan can still ask for it. */
  before: KnownHash | undefined;
}

/** Hashes of one root as they are stored: columns in the order of a listing. */
export interface HashColumns {
  paths: string[];
  sizesBytes: Float64Array;
  mtimesNs: BigInt64Array;
  ctimesNs: BigInt64Array;
  inodes: BigUint64Array;
  /** 32 bytes each. */
  hashes: Buffer;
}

export const hashBytes = 32;

/**
 * Content hashes of the files of one root. Hashes from the cache file stay in columns, so that a hundred thousand files
 * neither become objects nor are compared as text before anything has changed.
 */
export class HashTable {
  private stored: HashColumns;
  /** Hashes computed since; they hide stored ones of the same path. */
  private readonly fresh = new Map<string, KnownHash>();
  private readonly gone = new Set<string>();
  /** Marks stored files that were requested, so they exist. */
  private asked: Uint8Array;
  /** Expected position of the next request, since scans ask in the order of the columns. */
  private next = 0;

  constructor(stored: HashColumns = emptyColumns()) {
    this.stored = stored;
    this.asked = new Uint8Array(stored.paths.length);
  }

  /**
   * Returns the hash of a file that is untouched since it was read; `path` is the entry's, relative to this table's
   * root. An entry of an earlier scan gets the hash of that time, whatever the file contains by now.
   */
  get(path: string, entry: TreeEntry): string | undefined {
    let read = this.fresh.size === 0 ? undefined : this.fresh.get(path);
    while (read !== undefined && !sameStat(read, entry)) read = read.before;
    return read?.hash ?? this.storedHash(path, entry);
  }

  private storedHash(path: string, { sizeBytes, mtimeNs, ctimeNs, inode }: TreeEntry): string | undefined {
    const at = this.positionOf(path);
    if (at === undefined) return undefined;
    const { stored } = this;
    const same =
      stored.ctimesNs[at] === ctimeNs &&
      stored.mtimesNs[at] === mtimeNs &&
      stored.inodes[at] === inode &&
      stored.sizesBytes[at] === sizeBytes;
    return same ? stored.hashes.toString("hex", at * hashBytes, (at + 1) * hashBytes) : undefined;
  }

  set(path: string, { sizeBytes, mtimeNs, ctimeNs, inode }: TreeEntry, hash: string): void {
    this.fresh.set(path, { sizeBytes, mtimeNs, ctimeNs, inode, hash, before: this.fresh.get(path) });
  }

  /**
   * Checks up to `atMost` files that nobody has requested, from a random position, and drops those that no longer
   * exist.
   */
  forgetGone(exists: (path: string) => boolean, atMost: number): void {
    const { paths } = this.stored;
    const from = Math.floor(Math.random() * paths.length);
    for (let step = 0, looks = 0; step < paths.length && looks < atMost; step++) {
      const at = (from + step) % paths.length;
      if (this.asked[at] === 1 || this.gone.has(paths[at]!)) continue;
      looks++;
      if (!exists(paths[at]!)) this.gone.add(paths[at]!);
    }
  }

  /** Stored files in the order of a listing. */
  get storedPaths(): readonly string[] {
    return this.stored.paths;
  }

  /** Returns all hashes in the order of a listing; they become the stored ones. */
  columns(): HashColumns {
    const { stored, fresh, gone } = this;
    if (fresh.size === 0 && gone.size === 0) return stored;
    const added = [...fresh.keys()].sort(compareTreePaths);
    const kept = [...stored.paths.keys()].filter((at) => !gone.has(stored.paths[at]!) && !fresh.has(stored.paths[at]!));
    const result = emptyColumns(kept.length + added.length);
    const asked = new Uint8Array(kept.length + added.length);
    for (let index = 0, from = 0, to = 0; index < asked.length; index++) {
      const at = kept[from];
      const path = added[to];
      if (path === undefined || (at !== undefined && compareTreePaths(stored.paths[at]!, path) < 0)) {
        from++;
        result.paths.push(stored.paths[at!]!);
        result.sizesBytes[index] = stored.sizesBytes[at!]!;
        result.mtimesNs[index] = stored.mtimesNs[at!]!;
        result.ctimesNs[index] = stored.ctimesNs[at!]!;
        result.inodes[index] = stored.inodes[at!]!;
        stored.hashes.copy(result.hashes, index * hashBytes, at! * hashBytes, (at! + 1) * hashBytes);
        asked[index] = this.asked[at!]!;
      } else {
        to++;
        const read = fresh.get(path)!;
        result.paths.push(path);
        result.sizesBytes[index] = read.sizeBytes;
        result.mtimesNs[index] = read.mtimeNs;
        result.ctimesNs[index] = read.ctimeNs;
        result.inodes[index] = read.inode;
        result.hashes.write(read.hash, index * hashBytes, "hex");
        asked[index] = 1;
      }
    }
    this.stored = result;
    this.asked = asked;
    this.fresh.clear();
    this.gone.clear();
    this.next = 0;
    return result;
  }

  private positionOf(path: string): number | undefined {
    const { paths } = this.stored;
    let at = this.next;
    if (paths[at] !== path) {
      at = positionIn(paths, path);
      if (paths[at] !== path) return undefined;
    }
    // Shares the string that the entry holds anyway, so that the cache file's text can be freed once all were
    // requested.
    paths[at] = path;
    if (this.gone.size > 0 && this.gone.has(path)) return undefined;
    this.asked[at] = 1;
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
    hashes: Buffer.alloc(length * hashBytes),
  };
}
