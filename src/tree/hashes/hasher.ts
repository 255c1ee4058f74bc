import { createHash, hash as hashOnce } from "node:crypto";
import { closeSync, existsSync, readSync } from "node:fs";
import path from "node:path";
import { openRegular, readRegular } from "../../paths/index.ts";
import { formatHashes, parseHashes, type HashStore } from "./hash-cache.ts";
import { HashTable } from "./hash-table.ts";
import { isSettled } from "../settled.ts";
import { StatAhead, worthwhileFiles } from "../scan/stat-ahead.ts";
import type { TreeEntry } from "../types.ts";

/** Larger files are read in pieces, so that one large file does not become one large buffer. */
const wholeReadLimitBytes = 4 * 1024 * 1024;
const pieceBytes = 1024 * 1024;
/** People wait about a second without a message. */
const longMs = 1000;

/** Number of unrequested stored files that are checked when the cache is written; takes 5 ms at most. */
const looksPerSave = 1000;

export interface ContentHasherOptions {
  /** Stores hashes beyond the process; optional. */
  store?: HashStore;
  /** Called once for each read that takes longer than a second. */
  onLong?: (file: string, sizeBytes: number) => void;
  /** Returns the wall clock in nanoseconds; replaced in tests. */
  nowNs?: () => bigint;
}

/**
 * SHA-256 of files, cached by their `lstat` identity. Reads are synchronous, which for thousands of small files is
 * three to six times faster than promises.
 */
export class ContentHasher {
  private readonly store: HashStore | undefined;
  private readonly nowNs: () => bigint;
  private readonly onLong: ContentHasherOptions["onLong"];
  private knownOnce: Map<string, HashTable> | undefined;
  /** Root -> table that holds its files: that of a parent root, if one is known. */
  private readonly places = new Map<string, { table: HashTable; prefix: string }>();
  /**
   * Hashes of files that were read too shortly after a touch, or could not be read: valid then, but computed again on
   * the next request.
   */
  private readonly unsettled = new WeakMap<TreeEntry, string>();
  private dirty = false;
  /** Files read and bytes hashed so far, and the number of files that have to be read again on the next request. */
  readonly work = { files: 0, bytes: 0, unsettled: 0 };

  constructor(options: ContentHasherOptions = {}) {
    this.store = options.store;
    this.onLong = options.onLong;
    this.nowNs = options.nowNs ?? (() => BigInt(Date.now()) * 1_000_000n);
  }

  /** Root -> hashes of its files; loaded on first use, as nothing needs them when no file has changed. */
  private get known(): Map<string, HashTable> {
    if (this.knownOnce !== undefined) return this.knownOnce;
    const stored = this.store?.read();
    return (this.knownOnce = (stored && parseHashes(stored)) ?? new Map<string, HashTable>());
  }

  /**
   * Returns the hex SHA-256 of a file's content. A missing or unreadable file hashes as the reason, which never
   * matches.
   */
  hash(root: string, entry: TreeEntry): string {
    const { table, prefix } = this.placeOf(root);
    const known = prefix === "" ? entry.path : prefix + entry.path;
    const hit = table.get(known, entry);
    if (hit !== undefined) return hit;
    const startedNs = this.nowNs();
    const content = this.read(`${root}/${entry.path}`, entry);
    if (!isSettled(entry, startedNs) || content.startsWith("!")) {
      this.unsettled.set(entry, content);
      this.work.unsettled++;
      return content;
    }
    table.set(known, entry, content);
    this.dirty = true;
    return content;
  }

  /** Returns what `hash` returned for this entry of an earlier scan; the file may have other content by now. */
  earlierHash(root: string, entry: TreeEntry): string | undefined {
    const { table, prefix } = this.placeOf(root);
    return this.unsettled.get(entry) ?? table.get(prefix + entry.path, entry);
  }

  /**
   * Starts a second thread that stats known files for a scan that begins soon, unless they are few. `roots` are those
   * of the coming listings; the caller stops the threads that no scan has met.
   */
  statAhead(roots: ReadonlySet<string>): Map<string, StatAhead> {
    const ahead = new Map<string, StatAhead>();
    for (const root of roots) {
      const { table, prefix } = this.placeOf(root);
      const { storedPaths } = table;
      const paths =
        prefix === ""
          ? storedPaths
          : storedPaths.filter((path) => path.startsWith(prefix)).map((path) => path.slice(prefix.length));
      if (paths.length >= worthwhileFiles) ahead.set(root, new StatAhead(root, paths));
    }
    return ahead;
  }

  private placeOf(root: string): { table: HashTable; prefix: string } {
    let place = this.places.get(root);
    if (place === undefined) {
      const above = [...this.known.keys()].find((other) => pathWithin(other, root) !== undefined) ?? root;
      let table = this.known.get(above);
      if (table === undefined) this.known.set(above, (table = new HashTable()));
      place = { table, prefix: pathWithin(above, root)! };
      this.places.set(root, place);
    }
    return place;
  }

  /**
   * Drops what no later process will request: roots that are inside another one by now, and files that no longer exist.
   */
  private tidy(): void {
    for (const root of this.known.keys()) {
      if ([...this.known.keys()].some((other) => other !== root && pathWithin(other, root) !== undefined))
        this.known.delete(root);
    }
    this.places.clear();
    for (const [root, table] of this.known) table.forgetGone((file) => existsSync(path.join(root, file)), looksPerSave);
  }

  /** Stores the hashes if there are new ones. Losing them only costs time. */
  save(): void {
    if (!this.dirty || this.store === undefined) return;
    this.dirty = false;
    this.tidy();
    this.store.write(formatHashes(this.known));
  }

  private read(file: string, { sizeBytes, ctimeNs }: TreeEntry): string {
    this.work.files++;
    try {
      if (sizeBytes > wholeReadLimitBytes) return this.readInPieces(file, sizeBytes);
      // The file was small when it was listed.
      const content = readRegular(file, { maxBytes: wholeReadLimitBytes, follow: false });
      this.work.bytes += content.length;
      return sha256(content);
    } catch (error) {
      // An unreadable file never counts as unchanged.
      return `!${(error as NodeJS.ErrnoException).code ?? "unreadable"} ${ctimeNs}`;
    }
  }

  private readInPieces(file: string, sizeBytes: number): string {
    const hash = createHash("sha256");
    const startedMs = performance.now();
    let isTold = false;
    const buffer = Buffer.allocUnsafe(pieceBytes);
    const descriptor = openRegular(file, false);
    try {
      for (;;) {
        const length = readSync(descriptor, buffer, 0, pieceBytes, null);
        if (length === 0) return hash.digest("hex");
        hash.update(buffer.subarray(0, length));
        this.work.bytes += length;
        if (isTold || performance.now() - startedMs < longMs) continue;
        isTold = true;
        this.onLong?.(file, sizeBytes);
      }
    } finally {
      closeSync(descriptor);
    }
  }
}

/**
 * Returns the prefix of paths in `root` relative to `folder`, "" for the folder itself; undefined if `root` is
 * elsewhere.
 */
function pathWithin(folder: string, root: string): string | undefined {
  if (root === folder) return "";
  const start = folder.endsWith("/") ? folder : `${folder}/`;
  return root.startsWith(start) ? `${root.slice(start.length)}/` : undefined;
}

/** The one-shot form is twice as fast for small files; it requires Node 20.12. */
const sha256: (content: Buffer) => string =
  typeof hashOnce === "function"
    ? (content) => hashOnce("sha256", content, "hex")
    : (content) => createHash("sha256").update(content).digest("hex");
