/**
 * Tests whether git tracks a folder by reading git's index. Running git could start programs of the repository's choice
 * (fsmonitor, filters).
 */
import { closeSync, openSync, readFileSync, readSync, readdirSync, statSync } from "node:fs";
import path from "node:path";
import { findGitRoot, gitDirectories } from "../tree/index.ts";

const pieceBytes = 64 * 1024;
/** Two million files with long names. */
const largestBytes = 256 * 1024 * 1024;
const known = new Map<string, { state: string; tracked: boolean }>();

/** Reports whether the index has an entry at `folder` (absolute) or below it. An unreadable index counts as empty. */
export function isTracked(folder: string): boolean {
  const repository = findGitRoot(path.dirname(folder));
  if (repository === undefined) return false;
  const { gitDir, commonDir } = gitDirectories(repository);
  const files = indexFiles(gitDir);
  // The index file changes with every entry, so an unchanged file need not be read again.
  const state = files.map(stateOf).join(" ");
  const before = known.get(folder);
  if (before?.state === state) return before.tracked;
  const name = path.relative(repository, folder).split(path.sep).join("/");
  let tracked = false;
  try {
    const hashBytes = usesSha256(commonDir) ? 32 : 20;
    tracked = files.some((file) => hasEntry(file, name, hashBytes));
  } catch {
    // Truncated, or in a format that git would not read either.
  }
  known.set(folder, { state, tracked });
  return tracked;
}

/** With `core.splitIndex` most entries are in a second file beside it. */
function indexFiles(gitDir: string): string[] {
  let names: string[] = [];
  try {
    names = readdirSync(gitDir).filter((name) => name === "index" || /^sharedindex\.[0-9a-f]+$/.test(name));
  } catch {
    // There is no repository after all.
  }
  return names.map((name) => path.join(gitDir, name)).filter(isReadable);
}

/** An archive may contain pipes, devices and endless files; git writes no such index. */
function isReadable(file: string): boolean {
  const stats = statSync(file, { throwIfNoEntry: false });
  return stats?.isFile() === true && stats.size <= largestBytes;
}

function stateOf(file: string): string {
  const stats = statSync(file, { throwIfNoEntry: false });
  return stats === undefined ? "" : `${stats.ino} ${stats.size} ${stats.mtimeMs} ${stats.ctimeMs}`;
}

function usesSha256(commonDir: string): boolean {
  try {
    return (
      isReadable(path.join(commonDir, "config")) &&
      /^[ \t]*objectformat\s*=\s*sha256\s*$/im.test(readFileSync(path.join(commonDir, "config"), "utf8"))
    );
  } catch {
    return false;
  }
}

/** Entries are sorted by name, so the first one after `name` ends the search, near the start for a dotted name. */
export function hasEntry(file: string, name: string, hashBytes: number): boolean {
  const reader = new IndexReader(file);
  try {
    if (reader.take(4).toString("latin1") !== "DIRC") return false;
    const version = reader.take(4).readUInt32BE();
    const count = reader.take(4).readUInt32BE();
    if (version < 2 || version > 4) return false;
    // Capitals sort first, so the lowercase name is the last of all its spellings.
    const wanted = Buffer.from(name).toString("latin1").toLowerCase();
    let previous = "";
    for (let entry = 0; entry < count; entry++) {
      const flags = reader.take(40 + hashBytes + 2).readUInt16BE(40 + hashBytes);
      let headBytes = 40 + hashBytes + 2;
      if ((flags & 0x4000) !== 0) {
        reader.take(2);
        headBytes += 2;
      }
      const kept = version === 4 ? previous.length - reader.takeNumber() : 0;
      const text = previous.slice(0, kept) + reader.takeText();
      // Entries are padded with NULs to a multiple of eight; at least one NUL, which is already consumed.
      if (version !== 4) reader.take(7 - ((headBytes + text.length) % 8));
      previous = version === 4 ? text : "";
      // A case-insensitive file system stores all spellings in one folder.
      const lower = text.toLowerCase();
      if (lower === wanted || lower.startsWith(`${wanted}/`)) return true;
      if (text > `${wanted}0`) return false;
    }
    return false;
  } finally {
    reader.close();
  }
}

/** Reads the index in pieces. Names are decoded as Latin-1, which sorts like their bytes. */
class IndexReader {
  private readonly descriptor: number;
  private piece = Buffer.alloc(0);
  private at = 0;

  constructor(file: string) {
    this.descriptor = openSync(file, "r");
  }

  take(bytes: number): Buffer {
    while (this.piece.length - this.at < bytes) this.more();
    return this.piece.subarray(this.at, (this.at += bytes));
  }

  /** Reads up to a NUL, and consumes it. */
  takeText(): string {
    let end: number;
    while ((end = this.piece.indexOf(0, this.at)) < 0) {
      // No system has paths of that length.
      if (this.piece.length - this.at > pieceBytes) throw new Error("the index is cut");
      this.more();
    }
    const text = this.piece.toString("latin1", this.at, end);
    this.at = end + 1;
    return text;
  }

  /** Reads a variable-length number as in pack files: seven bits per byte, with one added for each further byte. */
  takeNumber(): number {
    let byte = this.take(1)[0]!;
    let value = byte & 0x7f;
    while ((byte & 0x80) !== 0) {
      byte = this.take(1)[0]!;
      value = (value + 1) * 128 + (byte & 0x7f);
    }
    return value;
  }

  close(): void {
    closeSync(this.descriptor);
  }

  private more(): void {
    const next = Buffer.allocUnsafe(pieceBytes);
    const length = readSync(this.descriptor, next, 0, pieceBytes, null);
    if (length === 0) throw new Error("the index is cut");
    this.piece = Buffer.concat([this.piece.subarray(this.at), next.subarray(0, length)]);
    this.at = 0;
  }
}
