import { LRUCache } from "lru-cache";
import type { CacheBackend } from "./types.ts";

/** Of keys and values: some ten thousand results. */
const usualBytes = 64 * 1024 * 1024;

/** Results in memory, for as long as the process lives; the least recently used go first. */
export function memoryBackend(bytes = usualBytes): CacheBackend {
  const results = new LRUCache<string, Uint8Array>({
    maxSize: bytes,
    sizeCalculation: (value, key) => value.length + key.length,
  });
  return {
    name: "memory",
    get: (key) => results.get(key),
    put(key, value, { keepMs }) {
      results.set(key, value, { ttl: Math.max(1, keepMs) });
    },
  };
}
