/** Cache of call results. Losing it costs only time. */
import type { CacheBackend } from "../../extensions/index.ts";
import type { ReturnedValue } from "../../module/index.ts";

interface StoredResult {
  version: 1;
  /** Milliseconds since 1970 when the call began; as in an engine, a policy's time starts there. */
  startedAtMs: number;
  keepMs: number;
  value: ReturnedValue;
}

/** Reads and writes results in a backend: the project's state, or an extension. */
export class ResultCache {
  private readonly backend: CacheBackend;

  constructor(backend: CacheBackend) {
    this.backend = backend;
  }

  /** Returns a result that is still valid. `key` is a digest in hex. */
  async read(key: string, nowMs: number): Promise<{ value: ReturnedValue; ageMs: number } | undefined> {
    const content = await this.backend.get(key);
    if (content === undefined) return undefined;
    const stored = parseResult(Buffer.from(content));
    if (stored === undefined) return undefined;
    const { startedAtMs, keepMs, value } = stored;
    const ageMs = nowMs - startedAtMs;
    // A negative age means that the clock was set back, so the age can't be trusted.
    return ageMs >= 0 && ageMs < keepMs ? { value, ageMs } : undefined;
  }

  async write(key: string, result: Omit<StoredResult, "version">): Promise<void> {
    const text = JSON.stringify({ version: 1, ...result } satisfies StoredResult);
    await this.backend.put(key, Buffer.from(text), { keepMs: result.keepMs });
  }
}

/** Parses a stored result; undefined when it is invalid or of another version. */
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
