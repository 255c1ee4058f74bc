let reads: Map<string, unknown> | undefined;

/**
 * While `work` goes on, which waits for nothing, files of rules that lie above what is looked at are read once: a thousand
 * inputs of a project have the same.
 */
export function sharingReads<T>(work: () => T): T {
  const before = reads;
  reads ??= new Map();
  try {
    return work();
  } finally {
    reads = before;
  }
}

/** What `read` gives; inside of `sharingReads` what it gave for that name before. */
export function readOnce<T>(name: string, read: () => T): T {
  if (reads === undefined) return read();
  if (reads.has(name)) return reads.get(name) as T;
  const value = read();
  reads.set(name, value);
  return value;
}
