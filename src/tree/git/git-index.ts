import path from "node:path";
import { currentRecorder, readRegular, regularTextIfThere, statIfThere } from "../../paths/index.ts";
import { gitDirectories } from "./git-folders.ts";
import { byCharacters, positionIn } from "../positions.ts";

/**
 * Files that git tracks in one repository, read from its index: git need not be installed, nothing of the repository is
 * run, and reading takes a millisecond per 10,000 files. The format is that of gitformat-index(5), versions 2 to 4.
 */
export class TrackedFiles {
  /** Paths relative to the repository, in the order of UTF-16 units; a submodule ends with a slash. */
  private readonly names: readonly string[];

  constructor(names: readonly string[]) {
    this.names = names;
  }

  /** Returns the current tracked files of the repository with that work tree; none if the index cannot be read. */
  static of(repository: string): TrackedFiles {
    const { gitDir, commonDir } = gitDirectories(repository);
    const file = path.join(gitDir, "index");
    for (const read of [file, path.join(gitDir, "commondir"), path.join(commonDir, "config")])
      currentRecorder()?.content(read);
    const stats = statIfThere(file);
    const mark = stats === undefined ? "" : `${stats.mtimeMs} ${stats.size} ${stats.ino}`;
    const known = cache.get(gitDir);
    // A recorded file must be read after it was recorded.
    if (known?.mark === mark && currentRecorder() === undefined) return known.files;
    const files = new TrackedFiles(stats === undefined ? [] : readNames(gitDir, commonDir, file));
    cache.set(gitDir, { mark, files });
    return files;
  }

  has(file: string): boolean {
    return this.names[this.positionOf(file)] === file;
  }

  /** Reports whether something in the folder is tracked, or the folder is a submodule. */
  hasBelow(folder: string): boolean {
    return this.names[this.positionOf(`${folder}/`)]?.startsWith(`${folder}/`) === true;
  }

  private positionOf(name: string): number {
    return positionIn(this.names, name, byCharacters);
  }
}

const cache = new Map<string, { mark: string; files: TrackedFiles }>();

/** Size of the index of a repository with a few million files. */
const maxIndexBytes = 512 * 1024 * 1024;

/** No file system has a longer path, and git checks out none. */
const maxNameBytes = 4096;
/**
 * Names of all entries together. Version 4 repeats the start of a name without storing it, so a small file may stand for
 * gigabytes.
 */
const maxNamesBytes = maxIndexBytes;

const gitlinkMode = 0o160_000;
const typeMask = 0o170_000;
/** Signature, version and number of entries. */
const headBytes = 12;

function readNames(gitDir: string, commonDir: string, file: string): string[] {
  try {
    const hashBytes = hashBytesOf(commonDir);
    const { names, shared } = namesOf(readRegular(file, { maxBytes: maxIndexBytes }), hashBytes);
    // A split index contains what is new; the rest is in a second file. Entries removed since then still count as
    // tracked.
    if (shared !== undefined) {
      const below = path.join(gitDir, `sharedindex.${shared}`);
      currentRecorder()?.content(below);
      names.push(...namesOf(readRegular(below, { maxBytes: maxIndexBytes }), hashBytes).names);
    }
    return isSorted(names) ? names : [...new Set(names)].sort();
  } catch {
    return [];
  }
}

/** Returns the length of the repository's object names; `commonDir` holds its configuration. */
export function hashBytesOf(commonDir: string): number {
  const config = regularTextIfThere(path.join(commonDir, "config"));
  return /^[ \t]*objectformat\s*=\s*sha256\s*$/im.test(config) ? 32 : 20;
}

/**
 * Returns the names of the entries, and the shared index that they extend. Throws for anything that is not an index.
 */
export function namesOf(index: Buffer, hashBytes: number): { names: string[]; shared: string | undefined } {
  const names: string[] = [];
  let end = headBytes;
  for (const { name, mode, next } of indexEntries(index, hashBytes)) {
    const text = name.toString("utf8");
    if (text !== "") names.push((mode & typeMask) === gitlinkMode ? `${text}/` : text);
    end = next;
  }
  return { names, shared: sharedIndex(index, end, hashBytes) };
}

export interface IndexEntry {
  /** As bytes, by which the entries are sorted. */
  name: Buffer;
  mode: number;
  /** Offset of what follows. */
  next: number;
}

/** Yields the entries in the order of the index. Throws for anything that is not an index, or where it is cut. */
export function* indexEntries(index: Buffer, hashBytes: number): Generator<IndexEntry, void> {
  const version = index.readUInt32BE(4);
  if (index.toString("latin1", 0, 4) !== "DIRC" || version < 2 || version > 4) throw new Error("not an index");
  let at = headBytes;
  let totalBytes = 0;
  let previous: Buffer = Buffer.alloc(0);
  for (let left = index.readUInt32BE(8); left > 0; left--) {
    const mode = index.readUInt32BE(at + 24);
    const flags = index.readUInt16BE(at + 40 + hashBytes);
    let nameAt = at + 42 + hashBytes + (version >= 3 && (flags & 0x4000) !== 0 ? 2 : 0);
    let kept = 0;
    if (version === 4) {
      const cut = varint(index, nameAt);
      nameAt = cut.next;
      kept = previous.length - cut.value;
    }
    const end = index.indexOf(0, nameAt);
    if (end < 0 || !(kept >= 0)) throw new Error("a damaged index");
    const nameBytes = kept + end - nameAt;
    totalBytes += nameBytes;
    if (nameBytes > maxNameBytes || totalBytes > maxNamesBytes) throw new Error("an index that git would not write");
    const name =
      version === 4
        ? Buffer.concat([previous.subarray(0, kept), index.subarray(nameAt, end)])
        : index.subarray(nameAt, end);
    previous = name;
    at = version === 4 ? end + 1 : at + ((end - at + 8) & ~7);
    yield { name, mode, next: at };
  }
}

function sharedIndex(index: Buffer, start: number, hashBytes: number): string | undefined {
  for (let at = start; at + 8 <= index.length - hashBytes; at += 8 + index.readUInt32BE(at + 4)) {
    if (index.toString("latin1", at, at + 4) === "link") return index.toString("hex", at + 8, at + 8 + hashBytes);
  }
  return undefined;
}

/** Reads a number as offsets are written in git's pack files. */
function varint(buffer: Buffer, start: number): { value: number; next: number } {
  let next = start;
  let byte = buffer[next++]!;
  let value = byte & 127;
  while ((byte & 128) !== 0) {
    byte = buffer[next++]!;
    value = (value + 1) * 128 + (byte & 127);
  }
  return { value, next };
}

function isSorted(names: readonly string[]): boolean {
  return names.every((name, index) => index === 0 || names[index - 1]! < name);
}
