import { randomBytes } from "node:crypto";
import path from "node:path";
import { durationMs, type Config } from "../config/index.ts";
import type { EngineInfo } from "../engine/types.ts";
import { ManifestStore, type Fingerprint, type PreviousRun, type Reason, type TargetHistory } from "../plan/index.ts";
import type { ProjectState } from "../state/index.ts";
import { logNameOf, parseRecord, recordNameOf, recordShape, runFileShape } from "./record-file.ts";
import { RunLog } from "./run-log.ts";
import type { Outcome } from "./state.ts";

/** One run of one function, as it is stored: `.fastloop/runs/<id>.json`, its log beside it. */
export interface RunRecord {
  version: 1;
  /** Sorts by time. */
  id: string;
  target: string;
  digest: string;
  fingerprint: Fingerprint;
  reasons: Reason[];
  outcome: Outcome;
  /** False when an input changed while it ran; then the result is that of no known state. */
  fresh: boolean;
  engine: Pick<EngineInfo, "kind" | "version">;
  /** ISO 8601. */
  startedAt: string;
  durationMs: number;
  /** How often it was tried until it passed, or failed for good. */
  attempts?: number;
  /** What the function returned, shortened; only when it passed. */
  value?: string;
  error?: { message: string; detail?: string; place?: string; exitCode: number };
}

const dayMs = 24 * 60 * 60 * 1000;

export interface Retention {
  /** Newest runs kept of each target, besides its last success. */
  perTarget: number;
  maxAgeDays: number;
}

export const defaultRetention: Retention = { perTarget: 20, maxAgeDays: 30 };

/** `records` of fastloop.yaml. */
export function retentionOf({ keep, maxAge }: NonNullable<Config["records"]> = {}): Retention {
  return {
    perTarget: keep ?? defaultRetention.perTarget,
    maxAgeDays: maxAge === undefined ? defaultRetention.maxAgeDays : durationMs(maxAge) / dayMs,
  };
}

const runsBetweenPrunes = 100;

/** More records than any retention keeps: what a folder holds beyond that is nobody's history. */
const readLimits = { files: 50_000, fileBytes: 16 * 1024 * 1024 };

/**
 * All runs of a project. Records are written whole or not at all, with the user's seal; what has none, or cannot be read,
 * counts as absent, which is told.
 */
export class RunStore {
  private readonly state: ProjectState;
  /** What `prune` keeps, unless it is told otherwise. Unknown until the project was read: nothing is deleted by guess. */
  retention: Retention | undefined;
  /** Of the newest id, milliseconds since 1970. */
  private newestMs = 0;
  private readonly byTarget = new Map<string, RunRecord[]>();
  readonly manifests: ManifestStore;
  private added = 0;

  constructor(state: ProjectState) {
    this.state = state;
    this.manifests = new ManifestStore(state);
    this.load();
  }

  /** Above all ids so far, also after the clock was set back. */
  newId(target: string, startedAt: Date): string {
    this.newestMs = Math.max(startedAt.getTime(), this.newestMs + 1);
    const time = new Date(this.newestMs).toISOString().replace(/[-:]/g, "");
    return `${time}-${target.replace(/[^A-Za-z0-9_-]/g, "-").slice(0, longestTargetInId)}-${randomBytes(3).toString("hex")}`;
  }

  /** Where the output of a run goes; `onLost` is told why the rest of it cannot be kept. */
  log(id: string, onLost: (reason: string) => void): RunLog {
    const name = logNameOf(id);
    return new RunLog(path.join(this.state.path, "runs", name), () => this.state.openForAppending("runs", name), onLost);
  }

  add(record: RunRecord): void {
    this.state.write("runs", recordNameOf(record.id), [Buffer.from(JSON.stringify(record))]);
    this.remember(record);
    // A watch may run for weeks.
    if (++this.added % runsBetweenPrunes === 0) this.prune();
  }

  /** Newest first. */
  of(target: string): readonly RunRecord[] {
    return this.byTarget.get(target) ?? [];
  }

  all(): RunRecord[] {
    return [...this.byTarget.values()].flat().sort((a, b) => (a.id < b.id ? 1 : -1));
  }

  /** The engine that ran last: what a plan without an engine compares with. */
  lastEngine(): string | undefined {
    const [newest] = this.all();
    return newest?.fingerprint.engine;
  }

  history(target: string): TargetHistory {
    // A run that was cancelled says nothing about its state.
    const runs = this.of(target).filter((record) => record.outcome !== "cancelled");
    const passed = (record: PreviousRun): boolean => record.outcome === "passed" && record.fresh;
    return {
      last: runs[0],
      lastPassed: runs.find(passed),
      hasPassed: (digest) => {
        const newest = runs.find((record) => record.digest === digest);
        return newest !== undefined && passed(newest);
      },
    };
  }

  /** Median duration of the last passed runs; undefined before the first. */
  expectedMs(target: string): number | undefined {
    const durations = this.of(target).filter((record) => record.outcome === "passed").slice(0, 5).map((record) => record.durationMs);
    return durations.sort((a, b) => a - b)[Math.floor(durations.length / 2)];
  }

  /** Deletes what is old, of each target by number and age; what its last success rests on stays. */
  prune(retention: Retention | undefined = this.retention, nowMs = Date.now()): void {
    if (retention === undefined) return;
    const oldest = new Date(Math.max(0, nowMs - retention.maxAgeDays * dayMs)).toISOString();
    for (const [target, records] of this.byTarget) {
      const lastPassed = records.find((record) => record.outcome === "passed" && record.fresh);
      const kept = records.filter(
        (record, index) => record === lastPassed || (index < retention.perTarget && record.startedAt >= oldest),
      );
      const dropped = records.filter((record) => !kept.includes(record));
      this.state.remove("runs", dropped.flatMap(({ id }) => [recordNameOf(id), logNameOf(id)]));
      if (kept.length === 0) this.byTarget.delete(target);
      else this.byTarget.set(target, kept);
    }
    const used = this.all().flatMap((record) => record.fingerprint.inputs.map((input) => input.digest));
    this.manifests.prune(new Set(used));
  }

  /**
   * Deletes what a process that died has left: logs of runs that never came to a record, half-written files, records that
   * do not count. Only for the holder of the project's lock: nobody else writes here. What has no name of ours stays.
   */
  sweep(): void {
    const known = new Set(this.all().flatMap(({ id }) => [recordNameOf(id), logNameOf(id)]));
    this.state.remove("runs", this.state.names("runs", runFileShape).filter((name) => !known.has(name)));
  }

  private remember(record: RunRecord): void {
    this.newestMs = Math.max(this.newestMs, timeOfId(record.id));
    const records = this.byTarget.get(record.target);
    if (records === undefined) this.byTarget.set(record.target, [record]);
    else {
      // Almost always the newest: found at the front.
      const at = records.findIndex((other) => other.id < record.id);
      records.splice(at < 0 ? records.length : at, 0, record);
    }
  }

  private load(): void {
    const foreign: string[] = [];
    this.state.readAll("runs", recordShape, readLimits, (name, content) => {
      const record = content && parseRecord(name, content);
      if (record === undefined) foreign.push(name);
      else this.remember(record);
    });
    const [first, ...others] = foreign;
    if (first === undefined) return;
    const which = others.length === 0 ? `the run record ${first} is` : `${foreign.length} run records, the newest ${first}, are`;
    this.state.notice(`${which} damaged, or not of this user and place; ${others.length === 0 ? "its function counts" : "their functions count"} as not run`);
  }
}

/** A file's name has room for more than that, and the file's draft too. */
const longestTargetInId = 150;

/** Milliseconds since 1970; 0 for an id that is none of ours. */
function timeOfId(id: string): number {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)([\d.]+Z)-/.exec(id);
  if (match === null) return 0;
  const [, year, month, day, hour, minute, second] = match;
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}`) || 0;
}
