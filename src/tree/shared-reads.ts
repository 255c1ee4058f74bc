let reads: Map<string, unknown> | undefined;

/**
 * Caches reads of `readOnce` during synchronous `work`, as a thousand inputs of a project share the rule files above
 * them.
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

/** Returns the result of `read`; inside `sharingReads`, the earlier result for that name. */
export function readOnce<T>(name: string, read: () => T): T {
  if (reads === undefined) return read();
  if (reads.has(name)) return reads.get(name) as T;
  const value = read();
  reads.set(name, value);
  return value;
}
