import os from "node:os";
import { hashBytes, HashTable, type HashColumns } from "./hash-table.ts";

/** Storage of hashes beyond the process. Its content is trusted; whoever stores it has to protect it. */
export interface HashStore {
  read(): Buffer | undefined;
  write(pieces: readonly Uint8Array[]): void;
}

/** Numbers are stored in the machine's byte order. */
const format = `fastloop-hashes 4 ${os.endianness()}\n`;

/** The position of a root's columns follows from the lengths of those before. */
interface RootHeader {
  root: string;
  files: number;
  pathBytes: number;
}

/**
 * Parses the format: `fastloop-hashes <version> <byte order>`, a line of JSON with a header for each root, then for
 * each root its columns: sizes, mtimes, ctimes, inodes (8 bytes per file each), hashes (32), paths (separated by NUL).
 * Returns undefined if the content is damaged or of another version; the files are then hashed again.
 */
export function parseHashes(content: Buffer): Map<string, HashTable> | undefined {
  const known = new Map<string, HashTable>();
  if (content.toString("latin1", 0, format.length) !== format) return undefined;
  const body = content.subarray(format.length);
  const rootsEnd = body.indexOf("\n");
  let at = rootsEnd + 1;
  const take = (bytes: number): Buffer => body.subarray(at, (at += bytes));
  const headers = parseHeaders(body.toString("utf8", 0, rootsEnd));
  const bytes = headers?.reduce((sum, { files, pathBytes }) => sum + files * (4 * 8 + hashBytes) + pathBytes, at);
  if (headers === undefined || bytes !== body.length) return undefined;
  for (const { root, files, pathBytes } of headers) {
    // Copied, because numbers in the file are not aligned.
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
    if (columns.paths.length !== files) return undefined;
    known.set(root, new HashTable(columns));
  }
  return known;
}

/** Returns the format that `parseHashes` reads, in pieces. */
export function formatHashes(known: ReadonlyMap<string, HashTable>): Buffer[] {
  const headers: RootHeader[] = [];
  const parts: Buffer[] = [];
  for (const [root, table] of known) {
    const { paths, hashes, sizesBytes, mtimesNs, ctimesNs, inodes } = table.columns();
    const pathText = Buffer.from(paths.join("\0"));
    headers.push({ root, files: paths.length, pathBytes: pathText.length });
    for (const numbers of [sizesBytes, mtimesNs, ctimesNs, inodes]) parts.push(Buffer.from(numbers.buffer));
    parts.push(hashes, pathText);
  }
  return [Buffer.from(`${format}${JSON.stringify(headers)}\n`), ...parts];
}

function parseHeaders(text: string): RootHeader[] | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return Array.isArray(parsed) && parsed.every(isHeader) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function isHeader(value: unknown): value is RootHeader {
  if (typeof value !== "object" || value === null) return false;
  const { root, files, pathBytes } = value as Partial<RootHeader>;
  const isCount = (count: unknown): boolean => Number.isSafeInteger(count) && (count as number) >= 0;
  return typeof root === "string" && isCount(files) && isCount(pathBytes);
}
