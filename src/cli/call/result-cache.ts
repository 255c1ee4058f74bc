/** Results of calls that need not run again, in `.fastloop/calls`; losing them costs time only. */
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { ReturnedValue } from "../../module/index.ts";
import { makeFolder, writeFileAtomically } from "../../tree/index.ts";

/** So many results are kept; the oldest go first. */
const keptResults = 500;

interface StoredResult {
  version: 1;
  /** Milliseconds since 1970 when the call began: a policy's time counts from there, as in an engine. */
  startedAtMs: number;
  keepMs: number;
  value: ReturnedValue;
}

export class ResultCache {
  private readonly folder: string;

  constructor(stateDir: string) {
    this.folder = path.join(stateDir, "calls");
  }

  /** A result that still holds. */
  read(key: string, nowMs: number): { value: ReturnedValue; ageMs: number } | undefined {
    let stored: Partial<StoredResult>;
    try {
      stored = JSON.parse(readFileSync(this.file(key), "utf8")) as Partial<StoredResult>;
    } catch {
      return undefined;
    }
    const { version, startedAtMs, keepMs, value } = stored;
    if (version !== 1 || typeof startedAtMs !== "number" || typeof keepMs !== "number" || value === undefined) return undefined;
    const ageMs = nowMs - startedAtMs;
    // A clock that was set back makes a result look younger than nothing: it is not trusted.
    return ageMs >= 0 && ageMs < keepMs ? { value, ageMs } : undefined;
  }

  write(key: string, result: Omit<StoredResult, "version">): void {
    try {
      makeFolder(this.folder);
      ignoreInGit(path.dirname(this.folder));
      writeFileAtomically(this.file(key), JSON.stringify({ version: 1, ...result } satisfies StoredResult), 0o600);
      this.prune();
    } catch {
      // A read-only or full disk: the call runs again next time.
    }
  }

  private file(key: string): string {
    return path.join(this.folder, `${key}.json`);
  }

  private prune(): void {
    const files = readdirSync(this.folder).map((name) => path.join(this.folder, name));
    if (files.length <= keptResults) return;
    const byAge = files.map((file) => ({ file, mtimeMs: statSync(file).mtimeMs })).sort((a, b) => b.mtimeMs - a.mtimeMs);
    for (const { file } of byAge.slice(keptResults)) rmSync(file, { force: true });
  }
}

/** `.fastloop` is nobody's source, also in projects whose .gitignore does not name it. */
function ignoreInGit(stateDir: string): void {
  const file = path.join(stateDir, ".gitignore");
  if (!existsSync(file)) writeFileSync(file, "*\n");
}
