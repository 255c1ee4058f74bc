import { randomBytes } from "node:crypto";
import { readFileSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { durationMs, type Config } from "../config/index.ts";
import type { EngineInfo } from "../engine/types.ts";
import { ManifestStore, type Fingerprint, type PreviousRun, type Reason, type TargetHistory } from "../plan/index.ts";
import { makeFolder, writeFileAtomically } from "../tree/index.ts";
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
  /** File name in the same folder. */
  log: string;
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

/** All runs of a project. Records are written whole or not at all; one that cannot be read is set aside with a notice. */
export class RunStore {
  private readonly folder: string;
  /** What `prune` keeps, unless it is told otherwise. Unknown until the project was read: nothing is deleted by guess. */
  retention: Retention | undefined;
  /** Of the newest id, milliseconds since 1970. */
  private newestMs = 0;
  private readonly byTarget = new Map<string, RunRecord[]>();
  readonly manifests: ManifestStore;
  private added = 0;

  constructor(stateDir: string, onNotice: (text: string) => void = () => undefined) {
    this.folder = path.join(stateDir, "runs");
    this.manifests = new ManifestStore(stateDir);
    for (const record of this.load(onNotice)) this.remember(record);
  }

  /** Above all ids so far, also after the clock was set back. */
  newId(target: string, startedAt: Date): string {
    this.newestMs = Math.max(startedAt.getTime(), this.newestMs + 1);
    const time = new Date(this.newestMs).toISOString().replace(/[-:]/g, "");
    return `${time}-${target.replace(/[^A-Za-z0-9_-]/g, "-")}-${randomBytes(3).toString("hex")}`;
  }

  /** Where the log of a run goes. */
  logFile(id: string): string {
    makeFolder(this.folder);
    return path.join(this.folder, `${id}.log`);
  }

  add(record: RunRecord): void {
    writeFileAtomically(path.join(this.folder, `${record.id}.json`), JSON.stringify(record), 0o600);
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
      for (const record of records) {
        if (kept.includes(record)) continue;
        rmSync(path.join(this.folder, `${record.id}.json`), { force: true });
        rmSync(path.join(this.folder, record.log), { force: true });
      }
      if (kept.length === 0) this.byTarget.delete(target);
      else this.byTarget.set(target, kept);
    }
    const used = this.all().flatMap((record) => record.fingerprint.inputs.map((input) => input.digest));
    this.manifests.prune(new Set(used));
  }

  /**
   * Deletes what a process that died has left: logs of runs that never came to a record, and half-written files. Only
   * for the holder of the project's lock: nobody else writes here.
   */
  sweep(): void {
    let names: string[];
    try {
      names = readdirSync(this.folder);
    } catch {
      return;
    }
    const known = new Set(this.all().flatMap((record) => [`${record.id}.json`, record.log]));
    for (const name of names) if (!known.has(name)) rmSync(path.join(this.folder, name), { force: true });
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

  private load(onNotice: (text: string) => void): RunRecord[] {
    let names: string[];
    try {
      names = readdirSync(this.folder).filter((name) => name.endsWith(".json"));
    } catch {
      return [];
    }
    const records: RunRecord[] = [];
    for (const name of names.sort().reverse()) {
      const file = path.join(this.folder, name);
      try {
        const record = JSON.parse(readFileSync(file, "utf8")) as RunRecord;
        if (record.version !== 1 || typeof record.digest !== "string" || record.fingerprint === undefined) throw new Error("unknown form");
        records.push(record);
      } catch (error) {
        // Another process may have pruned it between the listing and the read.
        if ((error as NodeJS.ErrnoException).code === "ENOENT") continue;
        onNotice(`the run record ${name} cannot be read and is discarded; its function counts as not run`);
        try {
          rmSync(file, { force: true });
        } catch {
          // A project that cannot be written to.
        }
      }
    }
    return records;
  }
}

/** Milliseconds since 1970; 0 for an id that is none of ours. */
function timeOfId(id: string): number {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)([\d.]+Z)-/.exec(id);
  if (match === null) return 0;
  const [, year, month, day, hour, minute, second] = match;
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}`) || 0;
}
