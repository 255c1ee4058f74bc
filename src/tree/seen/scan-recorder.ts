/**
 * Records everything that a scan reads: folders, files, links, and ignore rules whether or not they exist. The result is a
 * list, which tools/confine/look.go checks later, and a digest of what was seen. look.go computes the same digest as long as
 * a scan would see the same. The format is documented there.
 */
import { createHash } from "node:crypto";
import { lstatSync, readlinkSync, statSync, type BigIntStats, type Dirent } from "node:fs";
import { isSettled } from "../settled.ts";
import type { ReadRecorder, RecordedEntry } from "../../paths/index.ts";

const typeBits = { file: 0o100_000, directory: 0o040_000, symlink: 0o120_000 };

/** Mode, size, user, group as numbers of JavaScript, then modified, changed and inode as integers of 8 bytes. */
const entryBytes = 7 * 8;
const entry = new ArrayBuffer(entryBytes);
const numbers = new Float64Array(entry, 0, 4);
const times = new BigInt64Array(entry, 4 * 8, 2);
const inode = new BigUint64Array(entry, 6 * 8, 1);
const entryView = new Uint8Array(entry);

export class ScanRecorder implements ReadRecorder {
  private list = "";
  /** What was seen of each item, in the order of the list; `length` bytes are used. */
  private seen = Buffer.allocUnsafe(64 * 1024);
  private length = 0;
  private readonly noted = new Set<string>();
  /** Where each item with its entries ends in `list`, and what was seen of it in `seen`. */
  private readonly ends: { list: number; seen: number }[] = [];
  private why: string | undefined;

  /** Why this scan cannot be checked by look.go; undefined if it can. */
  get doubt(): string | undefined {
    return this.why;
  }

  /** Records an absolute folder: all children in the order of `sortByName`, and the entries of those that were selected. */
  folder(folder: string, children: readonly Dirent[], entries: readonly RecordedEntry[]): void {
    let names = "";
    for (const child of children) names += `${child.name}\0${typeOf(child)}`;
    if (names.includes(replacement)) this.doubtful("a name that is not UTF-8");
    const lengthAt = this.length;
    this.makeRoom(4);
    this.length += 4;
    this.write(names);
    this.seen.writeUInt32LE(this.length - lengthAt - 4, lengthAt);
    let list = `D${folder}\0`;
    for (const one of entries) {
      list += `E${one.path.slice(one.path.lastIndexOf("/") + 1)}\0`;
      this.lstat(one);
    }
    this.add(list);
    this.ends.push({ list: this.list.length, seen: this.length });
  }

  private lstat(one: RecordedEntry): void {
    const isFolder = one.type === "directory";
    numbers[0] = typeBits[one.type] + one.mode;
    numbers[1] = one.sizeBytes;
    numbers[2] = one.uid;
    numbers[3] = one.gid;
    // The content of a folder is recorded by its names.
    times[0] = isFolder ? 0n : one.mtimeNs;
    times[1] = isFolder ? 0n : one.ctimeNs;
    inode[0] = one.inode;
    this.makeRoom(entryBytes);
    this.seen.set(entryView, this.length);
    this.length += entryBytes;
    if (one.type === "symlink") this.write(`${one.linkTarget}\0`);
  }

  /** Records an absolute file whose content is read afterwards, existing or not. Follows links. */
  content(file: string): void {
    if (!this.isNew("R", file)) return;
    const stats = this.stats(file, statSync);
    if (stats?.isFile() === true && !isSettled(stats, BigInt(Date.now()) * 1_000_000n))
      this.doubtful(`${file} was just written`);
    this.see("R", file, stats, stats?.isFile() === true ? [numberOf(stats.size), timesOf(stats)] : []);
  }

  /** Records whether an absolute path exists, and its type. Follows links. */
  kind(file: string): void {
    if (this.isNew("K", file)) this.see("K", file, this.stats(file, statSync), []);
  }

  /** Records where an absolute path leads if it is a link, else its type. */
  link(file: string): void {
    if (!this.isNew("L", file)) return;
    const stats = this.stats(file, lstatSync);
    const isLink = stats?.isSymbolicLink() === true;
    this.see("L", file, stats, isLink ? [Buffer.from(`${this.linkText(file)}\0`)] : []);
  }

  /** Records an absolute folder that is read again only when its times change, existing or not. */
  times(folder: string): void {
    if (!this.isNew("T", folder)) return;
    const stats = this.stats(folder, lstatSync);
    if (stats?.isSymbolicLink() === true) this.doubtful(`${folder} is a link`);
    if (stats?.isDirectory() === true && !isSettled(stats, BigInt(Date.now()) * 1_000_000n))
      this.doubtful(`${folder} was just changed`);
    this.see("T", folder, stats, stats?.isDirectory() === true ? [timesOf(stats)] : []);
  }

  /** Marks the scan as one that look.go cannot check, because something cannot be listed or may change unnoticed. */
  doubtful(why: string): void {
    this.why ??= why;
  }

  /** Returns the list, and the digest of what was seen. */
  result(): { list: Buffer; digest: string } {
    const list = Buffer.from(this.list);
    const hash = createHash("sha256").update(list).update(this.seen.subarray(0, this.length));
    return { list, digest: hash.digest("hex") };
  }

  /** Returns a digest of each item so far, with what was seen of it. */
  items(): string[] {
    let from = { list: 0, seen: 0 };
    return this.ends.map((end) => {
      const hash = createHash("sha256").update(this.list.slice(from.list, end.list));
      hash.update(this.seen.subarray(from.seen, end.seen));
      from = end;
      return hash.digest("base64").slice(0, 16);
    });
  }

  private isNew(kind: string, file: string): boolean {
    const key = kind + file;
    if (this.noted.has(key)) return false;
    this.noted.add(key);
    return true;
  }

  private add(items: string): void {
    if (items.includes(replacement)) this.doubtful("a path that is not UTF-8");
    this.list += items;
  }

  private see(kind: string, file: string, stats: BigIntStats | undefined, more: readonly Buffer[]): void {
    if (!file.startsWith("/")) this.doubtful(`${file} is not absolute`);
    this.add(`${kind}${file}\0`);
    this.write(stats === undefined ? "-" : typeOf(stats));
    for (const piece of more) {
      this.makeRoom(piece.length);
      this.length += piece.copy(this.seen, this.length);
    }
    this.ends.push({ list: this.list.length, seen: this.length });
  }

  private write(text: string): void {
    this.makeRoom(text.length * 3);
    this.length += this.seen.write(text, this.length);
  }

  private makeRoom(bytes: number): void {
    if (this.length + bytes <= this.seen.length) return;
    const larger = Buffer.allocUnsafe(2 * (this.seen.length + bytes));
    this.seen.copy(larger, 0, 0, this.length);
    this.seen = larger;
  }

  private linkText(file: string): string {
    try {
      return readlinkSync(file);
    } catch {
      this.doubtful(`${file} moved`);
      return "";
    }
  }

  /** Returns undefined if nothing is there. */
  private stats(file: string, look: (file: string, options: { bigint: true }) => BigIntStats): BigIntStats | undefined {
    try {
      return look(file, { bigint: true });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== "ENOENT" && code !== "ENOTDIR") this.doubtful(`${file} can't be looked at (${code})`);
      return undefined;
    }
  }
}

/** Node decodes bytes that are not UTF-8 to this. */
const replacement = "\uFFFD";

function typeOf(one: Pick<BigIntStats, "isFile" | "isDirectory" | "isSymbolicLink">): string {
  return one.isFile() ? "f" : one.isDirectory() ? "d" : one.isSymbolicLink() ? "l" : "o";
}

function numberOf(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(Number(value));
  return bytes;
}

function timesOf({ mtimeNs, ctimeNs, ino }: BigIntStats): Buffer {
  const bytes = Buffer.alloc(24);
  bytes.writeBigInt64LE(mtimeNs, 0);
  bytes.writeBigInt64LE(ctimeNs, 8);
  // Node's numbers are signed.
  bytes.writeBigInt64LE(BigInt.asIntN(64, ino), 16);
  return bytes;
}
