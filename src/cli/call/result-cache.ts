/** Results of calls that need not run again, in `.fastloop/calls`; losing them costs time only. */
import type { ReturnedValue } from "../../module/index.ts";
import type { ProjectState } from "../../state/index.ts";

/** So many results are kept; the oldest go first. */
const keptResults = 500;

const shape = /^[0-9a-f]{64}\.json$/;

interface StoredResult {
  version: 1;
  /** Milliseconds since 1970 when the call began: a policy's time counts from there, as in an engine. */
  startedAtMs: number;
  keepMs: number;
  value: ReturnedValue;
}

export class ResultCache {
  private readonly state: ProjectState;

  constructor(state: ProjectState) {
    this.state = state;
  }

  /** A result that still holds. `key` is a digest in hex. */
  read(key: string, nowMs: number): { value: ReturnedValue; ageMs: number } | undefined {
    const name = nameOf(key);
    const content = this.state.read("calls", name, () =>
      this.state.notice(`the stored result ${name} is damaged, or not of this user and place; the call runs`),
    );
    if (content === undefined) return undefined;
    const stored = parseResult(content);
    if (stored === undefined) return undefined;
    const { startedAtMs, keepMs, value } = stored;
    const ageMs = nowMs - startedAtMs;
    // A clock that was set back makes a result look younger than nothing: it is not trusted.
    return ageMs >= 0 && ageMs < keepMs ? { value, ageMs } : undefined;
  }

  write(key: string, result: Omit<StoredResult, "version">): void {
    const text = JSON.stringify({ version: 1, ...result } satisfies StoredResult);
    if (this.state.write("calls", nameOf(key), [Buffer.from(text)])) this.state.keepNewest("calls", shape, keptResults);
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

function nameOf(key: string): string {
  const name = `${key}.json`;
  if (!shape.test(name)) throw new Error(`${key} is not a digest`);
  return name;
}
