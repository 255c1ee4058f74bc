import { randomBytes } from "node:crypto";
import path from "node:path";
import type { EngineInfo } from "../../engine/types.ts";
import { ManifestStore } from "../../plan/index.ts";
import type { Fingerprint, Reason, TargetHistory } from "../../plan/index.ts";
import type { ProjectState, SealedReader } from "../../state/index.ts";
import {
  groupOf,
  groupOfName,
  idOfRecordName,
  logNameOf,
  parseRecord,
  recordNameOf,
  recordShape,
  runFileShape,
  timeOfId,
} from "./record-file.ts";
import { dayMs, entryOf, toBeDropped, type Retention } from "./kept.ts";
import { History, type HistoryEntry } from "./history.ts";
import { KnownDigests } from "./known-digests.ts";
import { PastOfTarget } from "./past-of-target.ts";
import { RunLog } from "./run-log.ts";
import { SpanStore, type Span } from "./spans.ts";
import type { Outcome } from "../machine/state.ts";

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
  /** Steps of the engine, and how many of them came from its cache. */
  steps?: { total: number; cached: number };
}

const runsBetweenPrunes = 100;

/** How long a function takes is told by so many of its runs. */
const runsExpectedFrom = 5;

/** More records than any retention keeps: what a folder holds beyond that is nobody's history. */
const readLimits = { files: 50_000, fileBytes: 16 * 1024 * 1024 };

/** A record that is stored, read when somebody asks: of thousands a plan needs the newest of each function. */
interface Entry {
  name: string;
  /** Undefined where it does not count. */
  record: RunRecord | undefined | "unread";
}

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
  /** By the name as it is in an id, which several targets may share; the newest first. */
  private readonly groups = new Map<string, Entry[]>();
  private readonly reader: SealedReader | undefined;
  readonly manifests: ManifestStore;
  /** A line for each run, kept longer than its record. */
  readonly past: History;
  readonly spans: SpanStore;
  private added = 0;
  private readonly known = new KnownDigests(() => {
    const oldest = [...this.groups.values()].map((group) => timeOfId(group.at(-1)?.name ?? ""));
    return this.past.entries(Math.min(...oldest));
  });
  private newest: RunRecord | undefined;
  private readonly foreign: string[] = [];
  private readonly pastOf = new PastOfTarget((target, digest) => this.runsOf(target, digest));

  constructor(state: ProjectState) {
    this.state = state;
    this.manifests = new ManifestStore(state);
    this.past = new History(state);
    this.spans = new SpanStore(state);
    this.reader = state.openReader("runs", recordShape, readLimits);
    for (const name of this.reader?.names ?? []) {
      const entry: Entry = { name, record: "unread" };
      const group = this.groups.get(groupOfName(name));
      if (group === undefined) this.groups.set(groupOfName(name), [entry]);
      else group.push(entry);
      this.newest ??= this.read(entry);
    }
    // Only what counts says what time it is: a name can be anybody's.
    if (this.newest !== undefined) this.newestMs = timeOfId(this.newest.id);
  }

  /** Above all ids so far, also after the clock was set back. */
  newId(target: string, startedAt: Date): string {
    this.newestMs = Math.max(startedAt.getTime(), this.newestMs + 1);
    const time = new Date(this.newestMs).toISOString().replace(/[-:]/g, "");
    return `${time}-${groupOf(target)}-${randomBytes(3).toString("hex")}`;
  }

  /** Where the output of a run goes; `onLost` is told why the rest of it cannot be kept. */
  log(id: string, onLost: (reason: string) => void): RunLog {
    const name = logNameOf(id);
    return new RunLog(
      path.join(this.state.path, "runs", name),
      () => this.state.openForAppending("runs", name),
      onLost,
    );
  }

  /** What a run printed, as far as it is there; a file of the project, so anybody may have written it. */
  logText(id: string): string | undefined {
    const content = this.state.readUnsealed("runs", logNameOf(id));
    return typeof content === "string" ? undefined : content.toString("utf8");
  }

  /** `told` is what statistics want to know beyond the record. */
  add(record: RunRecord, told: Partial<HistoryEntry> = {}, spans: readonly Span[] = []): void {
    this.state.write("runs", recordNameOf(record.id), [Buffer.from(JSON.stringify(record))]);
    const entry: Entry = { name: recordNameOf(record.id), record };
    this.groups.set(groupOf(record.target), [entry, ...(this.groups.get(groupOf(record.target)) ?? [])]);
    this.newest = record;
    if (spans.length > 0) this.spans.write(record.id, spans);
    this.past.add({ ...entryOf(record), ...told });
    // A watch may run for weeks.
    if (++this.added % runsBetweenPrunes === 0) this.prune();
  }

  /** These were asked for and needed no run: what that saved is part of the statistics. */
  noteCurrent(targets: readonly string[], nowMs = Date.now()): void {
    const saved = targets.flatMap((target) => {
      const record = this.history(target).lastPassed as RunRecord | undefined;
      return record === undefined ? [] : [{ target, durationMs: record.durationMs }];
    });
    this.past.addCurrent(saved, nowMs);
  }

  /** Newest first. */
  of(target: string): readonly RunRecord[] {
    return [...this.runsOf(target)];
  }

  /** The newest run that says something of the function's state; older ones are not read. */
  last(target: string): RunRecord | undefined {
    for (const record of this.runsOf(target)) if (record.outcome !== "cancelled") return record;
    return undefined;
  }

  all(): RunRecord[] {
    return [...this.groups.values()].flatMap((group) => this.recordsIn(group));
  }

  /** Records whose ids begin so; of the others nothing is read. */
  withId(beginning: string): RunRecord[] {
    const entries = [...this.groups.values()].flat().filter(({ name }) => idOfRecordName(name).startsWith(beginning));
    return this.recordsIn(entries);
  }

  /**
   * The newest run of each target that was not cancelled, or the one before it, and so on; no more is read than that takes.
   * Where targets share a name in ids, those count that ran last.
   */
  newestOfEach(back = 0): RunRecord[] {
    return [...this.groups.values()].flatMap((group) => {
      const seen = new Map<string, RunRecord[]>();
      for (const entry of group) {
        const record = this.read(entry);
        if (record === undefined || record.outcome === "cancelled") continue;
        seen.set(record.target, [...(seen.get(record.target) ?? []), record]);
        if ([...seen.values()].every((runs) => runs.length > back)) break;
      }
      return [...seen.values()].flatMap((runs) => runs[back] ?? []);
    });
  }

  /** The engine that ran last: what a plan without an engine compares with. */
  lastEngine(): string | undefined {
    return this.newest?.fingerprint.engine;
  }

  history(target: string): TargetHistory {
    return this.pastOf.of(target);
  }

  /** Its files are those of this digest, and nothing had to run: what comes next is compared with that run. */
  countsAgain(target: string, digest: string): void {
    this.pastOf.countsAgain(target, digest);
  }

  /** Median duration of the last five passed runs; undefined before the first. */
  expectedMs(target: string): number | undefined {
    const durations: number[] = [];
    // No older record is read than that takes.
    for (const record of this.runsOf(target)) {
      if (record.outcome === "passed") durations.push(record.durationMs);
      if (durations.length === runsExpectedFrom) break;
    }
    return durations.sort((a, b) => a - b)[Math.floor(durations.length / 2)];
  }

  /** The newest run of it that passed on the files with this digest. */
  passedOn(target: string, digest: string): RunRecord | undefined {
    for (const run of this.runsOf(target))
      if (run.digest === digest && run.outcome === "passed" && run.fresh) return run;
    return undefined;
  }

  /** Deletes what is old, of each target by number and age; what its last success rests on stays. */
  prune(retention: Retention | undefined = this.retention, nowMs = Date.now()): void {
    if (retention === undefined) return;
    const oldestMs = nowMs - retention.maxAgeDays * dayMs;
    const dropped: RunRecord[] = [];
    for (const [name, group] of this.groups) {
      // Mostly their names say that all of them stay, and nothing has to be read.
      if (group.length <= retention.perTarget && group.every((entry) => timeOfId(entry.name) >= oldestMs)) continue;
      const gone = toBeDropped(this.recordsIn(group), retention, oldestMs);
      dropped.push(...gone);
      this.groups.set(
        name,
        group.filter(({ record }) => record !== undefined && record !== "unread" && !gone.has(record)),
      );
    }
    this.state.remove("runs", [
      ...dropped.flatMap(({ id }) => [recordNameOf(id), logNameOf(id)]),
      ...this.foreign.splice(0),
    ]);
    if (dropped.length > 0) this.spans.remove(dropped.map(({ id }) => id));
    if (dropped.length > 0)
      this.manifests.prune(
        new Set(this.all().flatMap((record) => record.fingerprint.inputs.map((input) => input.digest))),
      );
  }

  /**
   * Deletes what a process that died has left: logs of runs that never came to a record, half-written files. Only for the
   * holder of the project's lock: nobody else writes here. What has no name of ours stays, and so does a record that may
   * not count, until it is read.
   */
  sweep(): void {
    const known = new Set(
      [...this.groups.values()].flat().flatMap(({ name }) => [name, logNameOf(idOfRecordName(name))]),
    );
    this.state.remove(
      "runs",
      this.state.names("runs", runFileShape).filter((name) => !known.has(name)),
    );
  }

  /** Reads nothing any more that has not been read. */
  close(): void {
    this.reader?.close();
  }

  /** With a digest, without those that are known to have another. */
  private *runsOf(target: string, digest?: string): Generator<RunRecord> {
    for (const entry of this.groups.get(groupOf(target)) ?? []) {
      if (digest !== undefined && entry.record === "unread" && this.known.isOther(idOfRecordName(entry.name), digest))
        continue;
      const record = this.read(entry);
      if (record?.target === target) yield record;
    }
  }

  private recordsIn(group: readonly Entry[]): RunRecord[] {
    return group.flatMap((entry) => this.read(entry) ?? []);
  }

  private read(entry: Entry): RunRecord | undefined {
    if (entry.record !== "unread") return entry.record;
    const content = this.reader?.read(entry.name);
    entry.record = content instanceof Buffer ? parseRecord(entry.name, content) : undefined;
    // Another process may have pruned it since it was listed.
    if (entry.record === undefined && content !== "absent") this.tellForeign(entry.name);
    return entry.record;
  }

  private tellForeign(name: string): void {
    if (this.foreign.length === 0) {
      this.state.notice(
        `run records are damaged, or not of this user and place (the newest is ${name}); what they say does not count`,
      );
    }
    this.foreign.push(name);
  }
}
