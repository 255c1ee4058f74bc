import { Conditions } from "../async/index.ts";
import { UserError } from "../errors/index.ts";
import { placeProject, projectHasher, type ProjectPlace } from "../plan/index.ts";
import type { ContentHasher } from "../tree/index.ts";
import { systemClock, type Watcher } from "../watch/index.ts";
import { Audience } from "./audience.ts";
import type { LoopListener } from "./events.ts";
import { Holds } from "./holds.ts";
import { ProjectLock } from "./records/lock.ts";
import type { LoopOptions } from "./loop-options.ts";
import { restoredBy } from "./machine/functions.ts";
import { limitsOf } from "./machine/limits.ts";
import { reduce } from "./machine/machine.ts";
import { functionsRest, initialState, isScanning, isPending, isSettled } from "./machine/state.ts";
import type { Effect, RequestedScan, LoopEvent, LoopState } from "./machine/state.ts";
import { effectNotice, plannedNotice, readyNotice, unstableNotice, restoredNotice, settledNotice } from "./notices.ts";
import { openWatcher, quietMsOf } from "./open-watcher.ts";
import { absolutePaths, forcedBy, plannedEvent } from "./planned-function.ts";
import { Planning } from "./planning.ts";
import { RunStore } from "./records/records.ts";
import { Runs } from "./runs.ts";
import { summarize, type LoopSummary } from "./summary.ts";
import { sweepDrafts } from "./records/sweep-drafts.ts";
import { whyOf, type Why } from "./why.ts";

/**
 * Keeps a project up to date: carries out what the state machine (machine/machine.ts) decides, and reports the results
 * back to it. `runAll` does so once; `start` goes on with every settled change until `stop`.
 */
export class Loop {
  private readonly options: LoopOptions;
  private readonly place: ProjectPlace;
  private readonly hasher: ContentHasher;
  /** All run records of the project. */
  readonly store: RunStore;
  private readonly lock: ProjectLock;
  private readonly audience = new Audience(() => this.machine);
  private readonly planning: Planning;
  private readonly runs = new Runs();
  private machine: LoopState;
  private watcher: Watcher | undefined;
  /** Without a watch nothing waits for files to rest, except functions whose own inputs never do. */
  private holds = new Holds(systemClock, Number.POSITIVE_INFINITY);
  private scanning: Promise<void> = Promise.resolve();
  private verifying = new AbortController();
  private readonly conditions = new Conditions();
  private failure: unknown;
  private stopped = false;
  private stopping: Promise<void> | undefined;

  constructor(options: LoopOptions) {
    this.options = options;
    this.place = placeProject({ ...options, onNotice: this.notice });
    this.place.state.requireUsable();
    this.lock = ProjectLock.take(this.place.state, options.command);
    this.hasher = projectHasher(this.place.state);
    this.store = new RunStore(this.place.state);
    this.store.sweep();
    sweepDrafts(this.place.state);
    this.planning = new Planning(options, this.place, this.hasher, this.store, this.audience);
    this.machine = initialState({ ...options, limits: limitsOf({ jobs: options.jobs }) });
    if (options.force === true) this.planning.owe("all");
  }

  get state(): LoopState {
    return this.machine;
  }

  /** Subscribes to everything that happens; returns the function that unsubscribes. */
  on(listener: LoopListener): () => void {
    return this.audience.on(listener);
  }

  /** Calls `listener` on every change of the state; there may be several between two notices. */
  onState(listener: (state: LoopState) => void): () => void {
    return this.audience.onState(listener);
  }

  /** Runs what is affected (or forced) until nothing runs or waits. Throws the error that keeps all from running. */
  async runAll(): Promise<LoopSummary> {
    this.runs.results.clear();
    this.planning.reader.askPast(this.options.past);
    const { deadlineMs } = this.options;
    const timer = deadlineMs === undefined ? undefined : setTimeout(() => this.timeOut(deadlineMs), deadlineMs);
    try {
      await this.scan({ paths: new Set(), everywhere: "asked" });
      // The summary has to be true of one moment, that of the last scan.
      if (this.failure === undefined)
        await this.conditions.until(() => this.machine.files.phase === "verified" || this.isOver);
      if (this.failure !== undefined) throw this.failure;
      const summary = summarize(this.machine, this.runs.results);
      this.store.noteCurrent(summary.current);
      return summary;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Plans and runs, then watches: scans after every settled change until `stop`. Resolves when the watch is ready. */
  async start(): Promise<void> {
    const startedMs = performance.now();
    await this.planning.read().catch((error: unknown) => {
      // A broken project may be fixed by an edit, so the watch waits for one. No edit fixes wrong arguments.
      if (error instanceof UserError && error.code === "usage") throw error;
    });
    this.dispatch({ kind: "watch" });
    this.holds = new Holds(systemClock, quietMsOf(this.options, this.planning));
    this.watcher = openWatcher(this.options, this.planning, {
      ...this.place,
      onUnsettled: () => this.dispatch({ kind: "hinted" }),
      onSettled: (hints) => void this.scan(hints),
      onNotice: this.notice,
      functionsRest: () => functionsRest(this.machine),
    });
    const snapshot = this.planning.reader.scan(undefined, this.watcher.beforeRead);
    const late = this.watcher.watch(snapshot.folders(), { rescan: false });
    // Every folder was watched before it was read, so the first scan would find just what `snapshot` holds.
    if (late === 0 && this.watcher.kind === "folders") this.planning.begin(snapshot);
    const targets = this.planning.reader.read?.targets ?? [];
    this.audience.emit(readyNotice(targets, snapshot, this.watcher.kind, performance.now() - startedMs));
    if (this.watcher.isCalm()) await this.scan({ paths: new Set(), everywhere: "start" });
    else this.watcher.requestFullScan("start");
  }

  /** Reports changed paths as the watcher would; for programs that know what they wrote. */
  applyHints(paths: readonly string[]): Promise<void> {
    return this.scan({ paths: absolutePaths(this.place.root, paths), everywhere: undefined });
  }

  /** Runs functions again whatever their state: all, those that failed, or by name. */
  rerun(which: "all" | "failed" | readonly string[]): Promise<void> {
    return this.scan({ paths: new Set(), everywhere: "asked", forced: forcedBy(which, this.machine) });
  }

  /** Cancels a function's run; it does not start again until its files change or it is requested. */
  cancel(name: string): void {
    this.dispatch({ kind: "cancel", name });
  }

  /** Returns what a target's digest is made of on the files of the last scan; undefined for an unknown name. */
  why(name: string): Why | undefined {
    return whyOf(this.planning.planOf(name), this.store);
  }

  /** Sets whether edits only mark what they affect; turning this off runs what they have marked. */
  setManual(on: boolean): void {
    this.dispatch({ kind: "manual", on });
  }

  /** Runs what edits have marked in manual mode. */
  runParked(): void {
    this.dispatch({ kind: "asked" });
  }

  /** Resolves when nothing runs or waits and every verdict is known. */
  settled(): Promise<void> {
    return this.conditions.until(() => isSettled(this.machine) || this.isOver);
  }

  /** Cancels everything, waits until it has ended, and releases the engine, the lock and the watches. */
  stop(): Promise<void> {
    this.stopping ??= this.stopNow();
    return this.stopping;
  }

  private async stopNow(): Promise<void> {
    this.stopped = true;
    this.watcher?.close();
    this.holds.close();
    this.dispatch({ kind: "stop" });
    // A scan may be waiting for an engine that is still opening.
    if (this.runs.isEmpty) await this.planning.session?.close();
    await Promise.all([this.scanning, this.settled()]);
    await this.planning.session?.close();
    this.store.prune();
    this.store.close();
    this.planning.reader.save();
    this.lock.release();
  }

  /** Resolves when this scan is over, whatever it found. */
  private async scan(scan: RequestedScan): Promise<void> {
    if (this.stopped) return this.scanning;
    this.dispatch({ kind: "scan", scan });
    await this.conditions.until(() => !isPending(this.machine, scan) || this.isOver);
  }

  /** In a watch a user error ends only this scan, as the next change may fix it. A bug ends the loop. */
  private broken(error: unknown): void {
    this.failure = error;
    if (this.watcher !== undefined) {
      // A single run throws the error instead.
      if (error instanceof UserError) this.audience.emit({ kind: "broken", error });
      else
        queueMicrotask(() => {
          throw error;
        });
    }
    // Wakes everyone who waits: what is broken will not settle.
    this.conditions.check(true);
  }

  private dispatch(event: LoopEvent): void {
    const before = this.machine;
    const { state, effects } = reduce(before, event);
    this.machine = state;
    for (const { name, wanted } of this.watcher === undefined ? [] : restoredBy(before, event, state)) {
      const record = this.store.passedOn(name, wanted);
      if (record !== undefined) this.audience.emit(restoredNotice(name, record));
    }
    for (const effect of effects) this.perform(effect);
    this.audience.showState();
    this.conditions.check();
  }

  private perform(effect: Effect): void {
    switch (effect.kind) {
      case "scan":
        this.scanning = this.scanning.then(() => this.carryOut(effect.scan));
        return;
      case "rescan":
        // Something writes to the files, so a watch waits until they rest.
        if (this.watcher === undefined) void this.scan({ paths: new Set(), everywhere: "confirm" });
        else this.watcher.requestFullScan("confirm");
        return;
      case "verify":
        return void this.verify(effect.attempt);
      case "drop-verify":
        return this.verifying.abort();
      case "settled":
        return this.reportSettled();
      case "start":
        return void this.runOne(effect);
      case "restless":
        return this.audience.noticeOnce(...unstableNotice(this.planning.planOf(effect.name)!, this.machine, this.runs));
      default:
        this.audience.emit(effectNotice(effect));
        if (effect.kind === "cancel") this.runs.cancel(effect.name, effect.why);
    }
  }

  /** Scans the project and lets the machine decide what follows. */
  private async carryOut(scan: RequestedScan): Promise<void> {
    if (this.stopped) return;
    const startedMs = performance.now();
    try {
      const planned = await this.planning.rescan(scan, this.watcher);
      if (!this.stopped) this.failure = undefined;
      if (this.watcher === undefined) for (const failed of this.runs.giveUp(planned)) this.audience.emit(failed);
      this.audience.emit(plannedNotice(planned, scan.everywhere ?? "hints", performance.now() - startedMs));
      const event = plannedEvent(planned, scan, this.holds, this.machine, this.runs);
      this.dispatch({ ...event, unsettled: this.watcher?.isUnsettled === true });
      this.planning.advise();
      this.holds.whenReleased((names) => this.dispatch({ kind: "released", names }));
    } catch (error) {
      if (!this.stopped) this.broken(error);
      this.dispatch({ kind: "unreadable" });
    }
  }

  private async runOne({ name, digest, reasons }: Extract<Effect, { kind: "start" }>): Promise<void> {
    const hints = (): ReadonlySet<string> | undefined =>
      isScanning(this.machine) ? undefined : this.watcher?.unsettledPaths();
    const run = this.planning.newRun(name, reasons, this.watcher !== undefined, hints);
    const { finished, outcome } = await this.runs.run(run, this.watcher !== undefined);
    const learned = finished.digest === digest ? undefined : finished.digest;
    this.dispatch({ kind: "finished", name, digest, learned, outcome, fresh: finished.fresh });
  }

  /** Events may have been lost, so the files are compared once more before everything is called up to date. */
  private async verify(attempt: number): Promise<void> {
    const { signal } = (this.verifying = new AbortController());
    try {
      const isStill = await this.planning.isStill(signal);
      if (isStill !== undefined && !this.stopped) this.dispatch({ kind: "verified", attempt, isStill });
    } catch (error) {
      this.broken(error);
    }
  }

  private reportSettled(): void {
    this.planning.advise();
    if (this.watcher === undefined) return;
    // Saved here, outside the way from a save to its run: for a large project this is the slowest write.
    this.hasher.save();
    this.audience.emit(settledNotice(this.machine));
  }

  /** Ends a run that takes too long as a whole; the error names what it waited for. */
  private timeOut(deadlineMs: number): void {
    this.failure = this.runs.cancelAll(deadlineMs, this.machine);
    void this.stop();
  }

  private readonly notice = (text: string): void => this.audience.emit({ kind: "notice", text });

  private get isOver(): boolean {
    return this.stopped && this.runs.isEmpty;
  }
}
