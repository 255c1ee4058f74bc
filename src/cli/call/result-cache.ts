/** Results of calls that need not run again; losing them costs time only. */
import type { CacheBackend } from "../../extensions/index.ts";
import type { ReturnedValue } from "../../module/index.ts";

interface StoredResult {
  version: 1;
  /** Milliseconds since 1970 when the call began: a policy's time counts from there, as in an engine. */
  startedAtMs: number;
  keepMs: number;
  value: ReturnedValue;
}

export class ResultCache {
  private readonly backend: CacheBackend;

  constructor(backend: CacheBackend) {
    this.backend = backend;
  }

  /** A result that still holds. `key` is a digest in hex. */
  async read(key: string, nowMs: number): Promise<{ value: ReturnedValue; ageMs: number } | undefined> {
    const content = await this.backend.get(key);
    if (content === undefined) return undefined;
    const stored = parseResult(Buffer.from(content));
    if (stored === undefined) return undefined;
    const { startedAtMs, keepMs, value } = stored;
    const ageMs = nowMs - startedAtMs;
    // A clock that was set back makes a result look younger than nothing: it is not trusted.
    return ageMs >= 0 && ageMs < keepMs ? { value, ageMs } : undefined;
  }

  async write(key: string, result: Omit<StoredResult, "version">): Promise<void> {
    const text = JSON.stringify({ version: 1, ...result } satisfies StoredResult);
    await this.backend.put(key, Buffer.from(text), { keepMs: result.keepMs });
  }
}

/** Undefined for what is no result, or that of another version. */
export function parseResult(content: Buffer): StoredResult | undefined {
  let stored: unknown;
  try {
    stored = JSON.parse(content.toString("utf8"));
  } catch {
    return undefined;
  }
  if (typeof stored !== "object" || stored === null) return undefined;
  const { version, startedAtMs, keepMs, value } = stored as Partial<StoredResult>;
  if (version !== 1 || typeof startedAtMs !== "number" || typeof keepMs !== "number" || value === undefined)
    return undefined;
  return { version, startedAtMs, keepMs, value };
}
