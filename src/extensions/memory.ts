import { LRUCache } from "lru-cache";
import type { CacheBackend } from "./types.ts";

/** Size of keys and values; enough for some ten thousand results. */
const usualBytes = 64 * 1024 * 1024;

/** Stores results in memory while the process lives; the least recently used ones are dropped first. */
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
