/**
 * Tests whether git tracks a folder by reading git's index. Running git could start programs of the repository's choice
 * (fsmonitor, filters).
 */
import { statSync } from "node:fs";
import path from "node:path";
import { namesIfThere, readRegular } from "../paths/index.ts";
import { findGitRoot, gitDirectories, hashBytesOf, indexEntries } from "../tree/index.ts";

const pieceBytes = 64 * 1024;
/** Two million files with long names. */
const maxBytes = 256 * 1024 * 1024;
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
    const hashBytes = hashBytesOf(commonDir);
    tracked = files.some((file) => hasEntry(file, name, hashBytes));
  } catch {
    // Truncated, or in a format that git would not read either.
  }
  known.set(folder, { state, tracked });
  return tracked;
}

/** With `core.splitIndex` most entries are in a second file beside it. */
function indexFiles(gitDir: string): string[] {
  return namesIfThere(gitDir)
    .filter((name) => name === "index" || /^sharedindex\.[0-9a-f]+$/.test(name))
    .map((name) => path.join(gitDir, name))
    .filter(isReadable);
}

/** An archive may contain pipes, devices and endless files; git writes no such index. */
function isReadable(file: string): boolean {
  const stats = statSync(file, { throwIfNoEntry: false });
  return stats?.isFile() === true && stats.size <= maxBytes;
}

function stateOf(file: string): string {
  const stats = statSync(file, { throwIfNoEntry: false });
  return stats === undefined ? "" : `${stats.ino} ${stats.size} ${stats.mtimeMs} ${stats.ctimeMs}`;
}

/**
 * Reports whether an index has an entry at that name or below it. A dotted name is near the start of an index, so the
 * whole file is read only if its first piece does not answer. Throws for anything that is not an index.
 */
export function hasEntry(file: string, name: string, hashBytes: number): boolean {
  const start = readRegular(file, { maxBytes: pieceBytes, cut: true });
  if (start.length < pieceBytes) return isListed(start, name, hashBytes);
  try {
    return isListed(start, name, hashBytes);
  } catch {
    return isListed(readRegular(file, { maxBytes }), name, hashBytes);
  }
}

/** Entries are sorted by name, so the first one after `name` ends the search. */
function isListed(index: Buffer, name: string, hashBytes: number): boolean {
  // Capitals sort first, so the lowercase name is the last of all its spellings. Latin-1 sorts like the bytes.
  const wanted = Buffer.from(name).toString("latin1").toLowerCase();
  for (const entry of indexEntries(index, hashBytes)) {
    const text = entry.name.toString("latin1");
    // A case-insensitive file system stores all spellings in one folder.
    const lower = text.toLowerCase();
    if (lower === wanted || lower.startsWith(`${wanted}/`)) return true;
    if (text > `${wanted}0`) return false;
  }
  return false;
}
