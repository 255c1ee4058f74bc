import { compareTreePaths, sameStat } from "../diff.ts";
import { positionIn } from "../positions.ts";
import type { TreeEntry } from "../types.ts";

/** What was read of one file, and the `lstat` identity that it had. */
interface KnownHash {
  sizeBytes: number;
  mtimeNs: bigint;
  ctimeNs: bigint;
  inode: bigint;
  hash: string;
  /** What was read before it, until all is stored: who still holds an earlier scan can ask for it. */
  before: KnownHash | undefined;
}

/** The hashes of one root as they are stored: columns in the order of a listing. */
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
 * Content hashes of the files of one root. What a file of the cache held stays in its columns: a hundred thousand files
 * are neither made into objects nor compared as text before anything has changed.
 */
export class HashTable {
  private stored: HashColumns;
  /** Read since; hides what is stored under the same path. */
  private readonly fresh = new Map<string, KnownHash>();
  private readonly gone = new Set<string>();
  /** Which of the stored files somebody asked for: they are there. */
  private asked: Uint8Array;
  /** Scans ask in the order of the columns: mostly the next one is meant. */
  private next = 0;

  constructor(stored: HashColumns = emptyColumns()) {
    this.stored = stored;
    this.asked = new Uint8Array(stored.paths.length);
  }

  /**
   * The hash of a file that has not been touched since it was read; `path` is the entry's, relative to this table's root.
   * An entry of an earlier scan gets what was read then, whatever the file holds by now.
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

  /** Looks at so many of the files that nobody has asked for, and forgets those that are gone; every file's turn comes. */
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

  /** The files that were stored, in the order of a listing. */
  get storedPaths(): readonly string[] {
    return this.stored.paths;
  }

  /** All of it, in the order of a listing; from now on this is what is stored. */
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
    // The text that the entry keeps anyway: once all were asked for, that of the file is let go.
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
