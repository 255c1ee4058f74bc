import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import os from "node:os";
import { writeFileAtomically } from "./atomic.ts";
import { hashBytes, HashTable, type HashColumns } from "./hash-table.ts";

/** Numbers are stored as the machine holds them. */
const format = `fastloop-hashes 3 ${os.endianness()}`;

/** Where a root's columns begin is known from the lengths of those before. */
interface RootHeader {
  root: string;
  files: number;
  pathBytes: number;
}

/**
 * The file: `fastloop-hashes <version> <byte order> <sha256 of the rest>`, a line of JSON with a header for each root,
 * then for each its columns: sizes, mtimes, ctimes, inodes (8 bytes a file each), hashes (32), paths (NUL between them).
 * A file that is cut short, edited or of another version is discarded with a notice: hashes are then read anew.
 */
export function readHashCache(file: string, onNotice: ((text: string) => void) | undefined): Map<string, HashTable> {
  const known = new Map<string, HashTable>();
  let content: Buffer;
  try {
    content = readFileSync(file);
  } catch {
    return known;
  }
  const headEnd = content.indexOf("\n");
  const body = content.subarray(headEnd + 1);
  if (headEnd < 0 || content.toString("latin1", 0, headEnd) !== headerOf([body])) {
    onNotice?.(`${file} is damaged or of another version; files are hashed anew`);
    return known;
  }
  const rootsEnd = body.indexOf("\n");
  let at = rootsEnd + 1;
  const take = (bytes: number): Buffer => body.subarray(at, (at += bytes));
  for (const { root, files, pathBytes } of JSON.parse(body.toString("utf8", 0, rootsEnd)) as RootHeader[]) {
    // Copied, because the numbers of a file lie at any address.
    const numbers = (): ArrayBuffer => {
      const { buffer, byteOffset, length } = take(files * 8);
      return buffer.slice(byteOffset, byteOffset + length) as ArrayBuffer;
    };
    const columns: HashColumns = {
      sizesBytes: new Float64Array(numbers()),
      mtimesNs: new BigInt64Array(numbers()),
      ctimesNs: new BigInt64Array(numbers()),
      inodes: new BigUint64Array(numbers()),
      hashes: Buffer.from(take(files * hashBytes)),
      paths: files === 0 ? [] : take(pathBytes).toString("utf8").split("\0"),
    };
    known.set(root, new HashTable(columns));
  }
  return known;
}

export function writeHashCache(file: string, known: ReadonlyMap<string, HashTable>): void {
  const headers: RootHeader[] = [];
  const parts: Buffer[] = [];
  for (const [root, table] of known) {
    const { paths, hashes, sizesBytes, mtimesNs, ctimesNs, inodes } = table.columns();
    const pathText = Buffer.from(paths.join("\0"));
    headers.push({ root, files: paths.length, pathBytes: pathText.length });
    for (const numbers of [sizesBytes, mtimesNs, ctimesNs, inodes]) parts.push(Buffer.from(numbers.buffer));
    parts.push(hashes, pathText);
  }
  parts.unshift(Buffer.from(`${JSON.stringify(headers)}\n`));
  writeFileAtomically(file, [Buffer.from(`${headerOf(parts)}\n`), ...parts]);
}

function headerOf(parts: readonly Buffer[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return `${format} ${hash.digest("hex")}`;
}
