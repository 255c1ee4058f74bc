import type { TierName } from "../../config/index.ts";
import type { ProjectState } from "../../state/index.ts";
import type { Outcome } from "../machine/state.ts";

/** One run in one line, as the statistics need it. Kept longer than the run's record, which has inputs and a log. */
export interface HistoryEntry {
  id: string;
  target: string;
  /** Start time, in milliseconds since 1970. */
  at: number;
  /**
   * `current`: requested and up to date, `count` times within one hour; `durationMs` is the total time of the runs that
   * this saved.
   */
  outcome: Outcome | "current";
  durationMs: number;
  count?: number;
  /** Beginning of the digest, enough to tell states apart. */
  digest: string;
  tier?: TierName;
  /** An input changed during the run. */
  stale?: true;
  /** Number of attempts, if more than one. */
  attempts?: number;
  /** Steps of the engine: all of them, and those that came from its cache. */
  steps?: [total: number, cached: number];
  /** Passed, failed, skipped. */
  tests?: [passed: number, failed: number, skipped: number];
  failedTests?: string[];
  /** Tests that failed first and passed when the function was tried again. */
  flakyTests?: string[];
  /** The slowest tests with their milliseconds, if the runner printed them. */
  slowTests?: [name: string, ms: number][];
  /** Milliseconds from the newest save among the changed files to the verdict; only in a watch. */
  editMs?: number;
}

/** A file is rewritten at each run until it has this size. */
const fileBytes = 48 * 1024;
/** Enough for about 60,000 runs. The oldest files are deleted first. */
const keptFiles = 250;
const shape = /^\d{8}T\d{9}Z\.json$/;
const readLimits = { files: keptFiles, fileBytes: 4 * 1024 * 1024 };
const longestName = 200;
/** Number of newest passed runs that an expected duration is computed from. */
const runsForExpected = 5;
const hourMs = 60 * 60_000;

interface OpenFile {
  name: string;
  entries: HistoryEntry[];
  bytes: number;
}

/** The runs of a project over months, in a few sealed files, so that thousands of them are read in milliseconds. */
export class History {
  private readonly state: ProjectState;
  /** The newest file, to which runs are added. */
  private open: OpenFile | undefined;
  /** Files that do not count; the next write removes them, as `run` removes records. */
  private readonly foreign = new Set<string>();

  constructor(state: ProjectState) {
    this.state = state;
  }

  add(...entries: HistoryEntry[]): void {
    if (entries.length === 0) return;
    const open = this.withRoom(entries[0]!.at);
    for (const entry of entries) push(open, shortened(entry));
    this.save(open);
  }

  /** Counts, by the hour, functions that needed no run, with the duration that each of them saved. */
  addCurrent(targets: readonly { target: string; durationMs: number }[], nowMs: number): void {
    if (targets.length === 0) return;
    const at = nowMs - (nowMs % hourMs);
    this.open ??= this.newest();
    const isOfHour = (entry: HistoryEntry): boolean => entry.outcome === "current" && entry.at === at;
    const open = this.open?.entries.some(isOfHour) === true ? this.open : this.withRoom(nowMs);
    const known = new Map(open.entries.filter(isOfHour).map((entry) => [entry.target, entry]));
    for (const { target, durationMs } of targets) {
      const entry = known.get(target);
      if (entry === undefined) push(open, { id: "", target, at, outcome: "current", durationMs, count: 1, digest: "" });
      else {
        entry.count = (entry.count ?? 1) + 1;
        entry.durationMs += durationMs;
      }
    }
    this.save(open);
  }

  /** Returns the runs that started at `fromMs` or later, oldest first. */
  entries(fromMs = 0): HistoryEntry[] {
    const found: HistoryEntry[][] = [];
    for (const { name, runs } of this.files()) {
      found.push(runs.filter(({ at }) => at >= fromMs));
      // A file is named after the time of its first run, so the remaining ones are older.
      if (timeOf(name) < fromMs) break;
    }
    return found.reverse().flat();
  }

  /**
   * Returns the median duration of the last passed runs of each target that has any, in milliseconds. Reads no more
   * files than needed.
   */
  expected(targets: readonly string[]): Map<string, number> {
    const recent = new Map(targets.map((target) => [target, [] as number[]]));
    let open = recent.size;
    if (open === 0) return new Map();
    for (const { runs } of this.files()) {
      for (const { target, outcome, durationMs } of runs.reverse()) {
        const known = outcome === "passed" ? recent.get(target) : undefined;
        if (known === undefined || known.length === runsForExpected) continue;
        if (known.push(durationMs) === runsForExpected) open--;
      }
      if (open === 0) break;
    }
    const ran = [...recent].filter(([, took]) => took.length > 0);
    return new Map(ran.map(([target, took]) => [target, took.sort((a, b) => a - b)[Math.floor(took.length / 2)] ?? 0]));
  }

  /** Reads the files that count, the newest first. */
  private *files(): Generator<{ name: string; runs: HistoryEntry[] }> {
    const reader = this.state.openReader("history", shape, readLimits);
    if (reader === undefined) return;
    try {
      for (const name of reader.names) {
        const content = reader.read(name);
        const runs = content instanceof Buffer ? parseHistory(content) : undefined;
        if (runs === undefined) this.reportForeign(name);
        else yield { name, runs };
      }
    } finally {
      reader.close();
    }
  }

  private withRoom(nowMs: number): OpenFile {
    this.open ??= this.newest();
    if (this.open !== undefined && this.open.bytes <= fileBytes) return this.open;
    // Where not even the newest file counts, the others may not either.
    if (this.open === undefined) this.entries();
    const names = this.state.names("history", shape).sort();
    this.state.remove("history", names.slice(0, Math.max(0, names.length - keptFiles + 1)));
    return (this.open = { name: nameAt(nowMs, this.open?.name), entries: [], bytes: 0 });
  }

  private save({ name, entries }: OpenFile): void {
    this.state.remove("history", [...this.foreign]);
    this.foreign.clear();
    this.state.write("history", name, [Buffer.from(JSON.stringify({ version: 1, runs: entries }))]);
  }

  private newest(): OpenFile | undefined {
    const name = this.state.names("history", shape).sort().at(-1);
    const content = name === undefined ? undefined : this.state.read("history", name);
    const entries = content === undefined ? undefined : parseHistory(content);
    return name === undefined || entries === undefined ? undefined : { name, entries, bytes: content?.length ?? 0 };
  }

  /** Reports only the first unusable file: in a folder copied from elsewhere all of them are. */
  private reportForeign(name: string): void {
    const isFirst = this.foreign.size === 0;
    this.foreign.add(name);
    if (!isFirst) return;
    this.state.notice(`the history of runs is damaged, or not of this user and place (${name}); it does not count`);
  }
}

function push(open: OpenFile, entry: HistoryEntry): void {
  open.entries.push(entry);
  open.bytes += JSON.stringify(entry).length;
}

/** Returns a name that sorts by time, and after the name before it whatever the clock says. */
function nameAt(ms: number, before: string | undefined): string {
  for (let at = ms; ; at++) {
    const name = `${new Date(at).toISOString().replace(/[-:.]/g, "")}.json`;
    if (before === undefined || name > before) return name;
  }
}

function timeOf(name: string): number {
  const [, date, hours, minutes, seconds, ms] = /^(\d{8})T(\d\d)(\d\d)(\d\d)(\d{3})Z/.exec(name) ?? [];
  const day = date?.replace(/^(\d{4})(\d\d)(\d\d)$/, "$1-$2-$3");
  return Date.parse(`${day}T${hours}:${minutes}:${seconds}.${ms}Z`) || 0;
}

function shortened(entry: HistoryEntry): HistoryEntry {
  const { failedTests, flakyTests, slowTests } = entry;
  return {
    ...entry,
    ...(failedTests === undefined ? {} : { failedTests: failedTests.slice(0, 50).map(shortName) }),
    ...(flakyTests === undefined ? {} : { flakyTests: flakyTests.slice(0, 50).map(shortName) }),
    ...(slowTests === undefined
      ? {}
      : { slowTests: slowTests.slice(0, 10).map(([name, ms]): [string, number] => [shortName(name), ms]) }),
  };
}

const shortName = (name: string): string => name.slice(0, longestName);

/**
 * Returns undefined for content of another version. Its seal has already shown that the user's own fastloop wrote it.
 */
function parseHistory(content: Buffer): HistoryEntry[] | undefined {
  try {
    const value = JSON.parse(content.toString("utf8")) as { version?: unknown; runs?: unknown };
    if (value.version !== 1 || !Array.isArray(value.runs)) return undefined;
    return (value.runs as HistoryEntry[]).filter(isEntry);
  } catch {
    return undefined;
  }
}

const isEntry = (value: unknown): value is HistoryEntry => {
  const { id, target, at, durationMs, outcome } = (value ?? {}) as Record<string, unknown>;
  return (
    typeof id === "string" &&
    typeof target === "string" &&
    typeof outcome === "string" &&
    Number.isFinite(at) &&
    Number.isFinite(durationMs)
  );
};
