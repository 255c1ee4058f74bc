import { existingPath } from "../paths/index.ts";

/** Results of reads by name. */
export type SharedReads = Map<string, unknown>;

let reads: SharedReads | undefined;

/**
 * Caches reads of `readOnce` during synchronous `work`, as a thousand inputs of a project share the rule files above
 * them. Steps of one work with a wait between them share `known`.
 */
export function sharingReads<T>(work: () => T, known: SharedReads = new Map()): T {
  const before = reads;
  reads ??= known;
  try {
    return work();
  } finally {
    reads = before;
  }
}

/** Returns the result of `read`; inside `sharingReads`, the earlier result for that name. */
export function readOnce<T>(name: string, read: () => T): T {
  if (reads === undefined) return read();
  if (reads.has(name)) return reads.get(name) as T;
  const value = read();
  reads.set(name, value);
  return value;
}

/** Returns the real path of what is there, else the path itself; cached as `readOnce` does. */
export function realPathOnce(file: string): { path: string; exists: boolean } {
  return readOnce(`real path of ${file}`, () => {
    const real = existingPath(file);
    return { path: real ?? file, exists: real !== undefined };
  });
}
