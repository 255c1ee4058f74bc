import { randomBytes } from "node:crypto";
import path from "node:path";
import type { EngineInfo } from "../../engine/types.ts";
import { ManifestStore } from "../../plan/index.ts";
import type { Fingerprint, Reason, TargetHistory } from "../../plan/index.ts";
import type { ProjectState, SealedReader } from "../../state/index.ts";
import {
  groupOf,
  groupOfName,
  hasOtherDigest,
  idOfRecordName,
  logNameOf,
  parseRecord,
  recordNameOf,
  recordShape,
  runFileShape,
  timeOfId,
} from "./record-file.ts";
import { dayMs, entryOf, expiredRecords, type Retention } from "./retention.ts";
import { History, type HistoryEntry } from "./history.ts";
import { PastOfTarget } from "./past-of-target.ts";
import { RunLog } from "./run-log.ts";
import { SpanStore, type Span } from "./spans.ts";
import type { Outcome } from "../machine/state.ts";

/** One run of one function, as stored in `.fastloop/runs/ID.DIGEST.json`, with `ID.log` beside it. */
export interface RunRecord {
  version: 1;
  /** Sorts by time. */
  id: string;
  target: string;
  digest: string;
  fingerprint: Fingerprint;
  reasons: Reason[];
  outcome: Outcome;
  /** False when an input changed during the run; the result then belongs to no known state. */
  fresh: boolean;
  engine: Pick<EngineInfo, "kind" | "version">;
  /** ISO 8601. */
  startedAt: string;
  durationMs: number;
  /** Number of attempts until it passed, or failed for good. */
  attempts?: number;
  /** Returned value, shortened; only of a run that passed. */
  value?: string;
  error?: { message: string; detail?: string; place?: string; exitCode: number };
  /** Steps of the engine, and how many of them came from its cache. */
  steps?: { total: number; cached: number };
}

const runsBetweenPrunes = 100;

/** More records than any retention keeps; a folder's files beyond that are ignored. */
const readLimits = { files: 50_000, fileBytes: 16 * 1024 * 1024 };

/** A stored record, read on demand: a plan needs only the newest one of each function, out of thousands. */
interface Entry {
  name: string;
  /** Undefined if the record does not count. */
  record: RunRecord | undefined | "unread";
}

/**
 * All runs of a project. Records are written atomically, with the user's seal. A record without a valid seal, or one
 * that cannot be read, counts as absent, and a notice says so.
 */
export class RunStore {
  private readonly state: ProjectState;
  /** What `prune` keeps by default. Undefined until the project is read, and then nothing is deleted. */
  retention: Retention | undefined;
  /** Time of the newest id, in milliseconds since 1970. */
  private newestMs = 0;
  /** Entries by the name used in ids, which several targets may share; newest first. */
  private readonly groups = new Map<string, Entry[]>();
  private readonly reader: SealedReader | undefined;
  readonly manifests: ManifestStore;
  /** One line for each run, kept longer than its record. */
  readonly past: History;
  readonly spans: SpanStore;
  private added = 0;
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
    // Only a record that counts may set the clock: anybody can create a file name.
    if (this.newest !== undefined) this.newestMs = timeOfId(this.newest.id);
  }

  /** Returns an id above all earlier ones, even after the clock was set back. */
  newId(target: string, startedAt: Date): string {
    this.newestMs = Math.max(startedAt.getTime(), this.newestMs + 1);
    const time = new Date(this.newestMs).toISOString().replace(/[-:]/g, "");
    return `${time}-${groupOf(target)}-${randomBytes(3).toString("hex")}`;
  }

  /** Opens the log of a run; `onLost` is called with the reason when the rest of it cannot be kept. */
  log(id: string, onLost: (reason: string) => void): RunLog {
    const name = logNameOf(id);
    return new RunLog(
      path.join(this.state.path, "runs", name),
      () => this.state.openForAppending("runs", name),
      onLost,
    );
  }

  /** Returns what a run printed, if its log exists. Anybody may have written it, as it is a file of the project. */
  logText(id: string): string | undefined {
    const content = this.state.readUnsealed("runs", logNameOf(id));
    return typeof content === "string" ? undefined : content.toString("utf8");
  }

  /** Stores a run; `told` is what the statistics keep beyond the record. */
  add(record: RunRecord, told: Partial<HistoryEntry> = {}, spans: readonly Span[] = []): void {
    const name = recordNameOf(record);
    this.state.write("runs", name, [Buffer.from(JSON.stringify(record))]);
    const entry: Entry = { name, record };
    this.groups.set(groupOf(record.target), [entry, ...(this.groups.get(groupOf(record.target)) ?? [])]);
    this.newest = record;
    if (spans.length > 0) this.spans.write(record.id, spans);
    this.past.add({ ...entryOf(record), ...told });
    // A watch may run for weeks.
    if (++this.added % runsBetweenPrunes === 0) this.prune();
  }

  /** Adds targets that were requested and needed no run to the statistics, with the time that this saved. */
  noteCurrent(targets: readonly string[], nowMs = Date.now()): void {
    this.past.addCurrent(this.savedBy(targets), nowMs);
  }

  /** Returns the durations of the runs that targets did not need, in milliseconds. */
  savedBy(targets: readonly string[]): { target: string; durationMs: number }[] {
    return targets.flatMap((target) => {
      const record = this.history(target).lastPassed as RunRecord | undefined;
      return record === undefined ? [] : [{ target, durationMs: record.durationMs }];
    });
  }

  /** Returns the records of a target, newest first. */
  of(target: string): readonly RunRecord[] {
    return [...this.runsOf(target)];
  }

  /** Returns the newest run that was not cancelled, without reading older records. */
  last(target: string): RunRecord | undefined {
    for (const record of this.runsOf(target)) if (record.outcome !== "cancelled") return record;
    return undefined;
  }

  all(): RunRecord[] {
    return [...this.groups.values()].flatMap((group) => this.recordsIn(group));
  }

  /** Returns the records whose ids begin with `beginning`, reading no others. */
  withId(beginning: string): RunRecord[] {
    const entries = [...this.groups.values()].flat().filter(({ name }) => idOfRecordName(name).startsWith(beginning));
    return this.recordsIn(entries);
  }

  /**
   * Returns the newest run of each target that was not cancelled, or the one `back` runs before it, reading no more
   * records than needed. If targets share a name in ids, those that ran last are returned.
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

  /** Returns the key of the engine that ran last, which a plan without an engine compares with. */
  lastEngine(): string | undefined {
    return this.newest?.fingerprint.engine;
  }

  history(target: string): TargetHistory {
    return this.pastOf.of(target);
  }

  /** Records that these files are back and nothing had to run: the next state is compared with that digest's run. */
  countsAgain(target: string, digest: string): void {
    this.pastOf.countsAgain(target, digest);
  }

  /** Returns the newest run of a target that passed on the files with this digest. */
  passedOn(target: string, digest: string): RunRecord | undefined {
    for (const run of this.runsOf(target))
      if (run.digest === digest && run.outcome === "passed" && run.fresh) return run;
    return undefined;
  }

  /** Deletes old records of each target, by number and age, except its last success. */
  prune(retention: Retention | undefined = this.retention, nowMs = Date.now()): void {
    if (retention === undefined) return;
    const oldestMs = nowMs - retention.maxAgeDays * dayMs;
    const dropped: string[] = [];
    for (const [name, group] of this.groups) {
      // Usually the names alone show that all of them stay, so nothing has to be read.
      if (group.length <= retention.perTarget && group.every((entry) => timeOfId(entry.name) >= oldestMs)) continue;
      const gone = expiredRecords(this.recordsIn(group), retention, oldestMs);
      const isGone = ({ record }: Entry): boolean => typeof record === "object" && gone.has(record);
      dropped.push(...group.filter(isGone).map(({ name }) => name));
      this.groups.set(
        name,
        group.filter((entry) => typeof entry.record === "object" && !isGone(entry)),
      );
    }
    this.state.remove("runs", [
      ...dropped.flatMap((name) => [name, logNameOf(idOfRecordName(name))]),
      ...this.foreign.splice(0),
    ]);
    if (dropped.length > 0) this.spans.remove(dropped.map(idOfRecordName));
    if (dropped.length > 0)
      this.manifests.prune(
        new Set(this.all().flatMap((record) => record.fingerprint.inputs.map((input) => input.digest))),
      );
  }

  /**
   * Deletes what a dead process has left: logs of runs without a record, half-written files. Only the holder of the
   * project's lock may call this, as nobody else writes here. Files with other names stay, and so does a record that
   * may not count, until it is read.
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

  /** Closes the reader: records that have not been read by now are not read any more. */
  close(): void {
    this.reader?.close();
  }

  /** With a digest, skips records that are known to have another one. */
  private *runsOf(target: string, digest?: string): Generator<RunRecord> {
    for (const entry of this.groups.get(groupOf(target)) ?? []) {
      if (digest !== undefined && hasOtherDigest(entry.name, digest)) continue;
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
    // Another process may have pruned the record since the folder was listed.
    if (entry.record === undefined && content !== "absent") this.reportForeign(entry.name);
    return entry.record;
  }

  private reportForeign(name: string): void {
    if (this.foreign.length === 0) {
      this.state.notice(
        `run records are damaged, or not of this user and place (the newest is ${name}); what they say does not count`,
      );
    }
    this.foreign.push(name);
  }
}
