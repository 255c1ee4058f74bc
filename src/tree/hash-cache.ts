import { readFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { writeFileAtomically } from "./atomic.ts";

/** A file's `lstat` identity (size, mtime, ctime, inode) and its content hash. */
export interface HashCacheEntry {
  stat: string;
  hash: string;
}

const format = "fastloop-hashes 1";

/**
 * The file: `fastloop-hashes <version> <sha256 of the rest>`, then JSON `{root: [path, stat, hash, path, ...]}`. A
 * file that is cut short, edited or of another version is discarded with a notice: hashes are then read anew.
 */
export function readHashCache(
  file: string,
  onNotice: ((text: string) => void) | undefined,
): Map<string, Map<string, HashCacheEntry>> {
  const known = new Map<string, Map<string, HashCacheEntry>>();
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return known;
  }
  const end = text.indexOf("\n");
  const body = text.slice(end + 1);
  if (end < 0 || text.slice(0, end) !== header(body)) {
    onNotice?.(`${file} is damaged or of another version; files are hashed anew`);
    return known;
  }
  const stored = JSON.parse(body) as Record<string, string[]>;
  for (const [root, flat] of Object.entries(stored)) {
    const files = new Map<string, HashCacheEntry>();
    for (let index = 0; index + 2 < flat.length; index += 3) {
      files.set(flat[index]!, { stat: flat[index + 1]!, hash: flat[index + 2]! });
    }
    known.set(root, files);
  }
  return known;
}

export function writeHashCache(file: string, known: Map<string, Map<string, HashCacheEntry>>): void {
  const stored: Record<string, string[]> = {};
  for (const [root, files] of known) {
    const flat: string[] = [];
    for (const [path, entry] of files) flat.push(path, entry.stat, entry.hash);
    stored[root] = flat;
  }
  const body = JSON.stringify(stored);
  writeFileAtomically(file, `${header(body)}\n${body}`);
}

function header(body: string): string {
  return `${format} ${createHash("sha256").update(body).digest("hex")}`;
}
