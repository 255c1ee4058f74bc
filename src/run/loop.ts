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
import { functionsRest, initialState, isLooking, isPending, isSettled } from "./machine/state.ts";
import type { Effect, Look, LoopEvent, LoopState } from "./machine/state.ts";
import { effectNotice, plannedNotice, readyNotice, restlessNotice, restoredNotice, settledNotice } from "./notices.ts";
import { openWatcher, quietMsOf } from "./open-watcher.ts";
import { absolutePaths, forcedBy, plannedEvent } from "./planned-function.ts";
import { Planning } from "./planning.ts";
import { RunStore } from "./records/records.ts";
import { Runs } from "./runs.ts";
import { summarize, type LoopSummary } from "./summary.ts";
import { sweepDrafts } from "./records/sweep-drafts.ts";
import { whyOf, type Why } from "./why.ts";

/**
 * A project kept up to date: carries out what the state machine (machine/machine.ts) decides, and tells it what came of
 * that. `runAll` does it once, `start` goes on with every settled change until `stop`.
 */
export class Loop {
  private readonly options: LoopOptions;
  private readonly place: ProjectPlace;
  private readonly hasher: ContentHasher;
  /** All runs of the project. */
  readonly store: RunStore;
  private readonly lock: ProjectLock;
  private readonly audience = new Audience(() => this.machine);
  private readonly planning: Planning;
  private readonly runs = new Runs();
  private machine: LoopState;
  private watcher: Watcher | undefined;
  /** Without a watch nobody waits for files to rest, but for functions whose own inputs never do. */
  private holds = new Holds(systemClock, Number.POSITIVE_INFINITY);
  private looking: Promise<void> = Promise.resolve();
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

  /** Subscribes to all that happens; returns the unsubscribe function. */
  on(listener: LoopListener): () => void {
    return this.audience.on(listener);
  }

  /** Told of every change of the state; between two notices there may be several. */
  onState(listener: (state: LoopState) => void): () => void {
    return this.audience.onState(listener);
  }

  /** Runs what is affected (or asked for) until nothing runs or waits. Throws what keeps everything from running. */
  async runAll(): Promise<LoopSummary> {
    this.runs.results.clear();
    const { deadlineMs } = this.options;
    const timer = deadlineMs === undefined ? undefined : setTimeout(() => this.timeOut(deadlineMs), deadlineMs);
    try {
      await this.look({ paths: new Set(), everywhere: "asked" });
      // What is summed up was true at one moment: that of the last look.
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

  /** Plans and runs, then watches: every settled change is looked at until `stop`. Resolves when it is ready. */
  async start(): Promise<void> {
    const startedMs = performance.now();
    await this.planning.read().catch((error: unknown) => {
      // What is broken is waited for; what was asked for wrongly no edit mends.
      if (error instanceof UserError && error.code === "usage") throw error;
    });
    this.dispatch({ kind: "watch" });
    this.holds = new Holds(systemClock, quietMsOf(this.options, this.planning));
    this.watcher = openWatcher(this.options, this.planning, {
      ...this.place,
      onUnsettled: () => this.dispatch({ kind: "hinted" }),
      onSettled: (hints) => void this.look(hints),
      onNotice: this.notice,
      functionsRest: () => functionsRest(this.machine),
    });
    const snapshot = this.planning.reader.scan(undefined, this.watcher.beforeRead);
    const late = this.watcher.watch(snapshot.folders(), { lookAgain: false });
    // Every folder was watched before it was read: what is known is what the first look would see.
    if (late === 0 && this.watcher.kind === "folders") this.planning.begin(snapshot);
    const targets = this.planning.reader.read?.targets ?? [];
    this.audience.tell(readyNotice(targets, snapshot, this.watcher.kind, performance.now() - startedMs));
    if (this.watcher.isCalm()) await this.look({ paths: new Set(), everywhere: "start" });
    else this.watcher.lookEverywhere("start");
  }

  /** Tells of changes, as the watcher would; for programs that know what they wrote. */
  applyHints(paths: readonly string[]): Promise<void> {
    return this.look({ paths: absolutePaths(this.place.root, paths), everywhere: undefined });
  }

  /** Runs functions again whatever their state: all, those that failed, or by name. */
  rerun(which: "all" | "failed" | readonly string[]): Promise<void> {
    return this.look({ paths: new Set(), everywhere: "asked", forced: forcedBy(which, this.machine) });
  }

  /** Ends a function's run, until its files change or it is asked for. */
  cancel(name: string): void {
    this.dispatch({ kind: "cancel", name });
  }

  /** What its digest is made of on the files as they were seen last; undefined for what is no function. */
  why(name: string): Why | undefined {
    return whyOf(this.planning.planOf(name), this.store);
  }

  /** Whether edits only mark what they affect; turning it off runs what they marked. */
  setManual(on: boolean): void {
    this.dispatch({ kind: "manual", on });
  }

  /** In manual mode: runs what edits have marked. */
  runParked(): void {
    this.dispatch({ kind: "asked" });
  }

  /** Resolves when nothing runs, waits or is unknown. */
  settled(): Promise<void> {
    return this.conditions.until(() => isSettled(this.machine) || this.isOver);
  }

  /** Cancels everything, waits until it is gone, and lets go of engine, lock and watches. */
  stop(): Promise<void> {
    this.stopping ??= this.stopNow();
    return this.stopping;
  }

  private async stopNow(): Promise<void> {
    this.stopped = true;
    this.watcher?.close();
    this.holds.close();
    this.dispatch({ kind: "stop" });
    // A look may wait for an engine that opens.
    if (this.runs.isEmpty) await this.planning.session?.close();
    await Promise.all([this.looking, this.settled()]);
    await this.planning.session?.close();
    this.store.prune();
    this.store.close();
    this.hasher.save();
    this.lock.release();
  }

  /** Resolves when that look is over, whatever it found. */
  private async look(look: Look): Promise<void> {
    if (this.stopped) return this.looking;
    this.dispatch({ kind: "look", look });
    await this.conditions.until(() => !isPending(this.machine, look) || this.isOver);
  }

  /** A user's error stops nothing but this look: the next change is the next chance. A bug ends the loop. */
  private broken(error: unknown): void {
    this.failure = error;
    if (this.watcher !== undefined) {
      // A single run throws it instead.
      if (error instanceof UserError) this.audience.tell({ kind: "broken", error });
      else
        queueMicrotask(() => {
          throw error;
        });
    }
    // Nobody waits for what is broken.
    this.conditions.check(true);
  }

  private dispatch(event: LoopEvent): void {
    const before = this.machine;
    const { state, effects } = reduce(before, event);
    this.machine = state;
    for (const { name, wanted } of this.watcher === undefined ? [] : restoredBy(before, event, state)) {
      const record = this.store.passedOn(name, wanted);
      if (record !== undefined) this.audience.tell(restoredNotice(name, record));
    }
    for (const effect of effects) this.perform(effect);
    this.audience.showState();
    this.conditions.check();
  }

  private perform(effect: Effect): void {
    switch (effect.kind) {
      case "look":
        this.looking = this.looking.then(() => this.carryOut(effect.look));
        return;
      case "rescan":
        // Somebody writes: a watch waits until the files rest.
        if (this.watcher === undefined) void this.look({ paths: new Set(), everywhere: "confirm" });
        else this.watcher.lookEverywhere("confirm");
        return;
      case "verify":
        return void this.verify(effect.attempt);
      case "drop-verify":
        return this.verifying.abort();
      case "settled":
        return this.tellSettled();
      case "start":
        return void this.runOne(effect);
      case "restless":
        return this.audience.noticeOnce(...restlessNotice(this.planning.planOf(effect.name)!, this.machine, this.runs));
      default:
        this.audience.tell(effectNotice(effect));
        if (effect.kind === "cancel") this.runs.cancel(effect.name, effect.why);
    }
  }

  /** Lets the planning look at the project, and the machine decide what follows. */
  private async carryOut(look: Look): Promise<void> {
    if (this.stopped) return;
    const startedMs = performance.now();
    try {
      const planned = await this.planning.look(look, this.watcher);
      if (!this.stopped) this.failure = undefined;
      if (this.watcher === undefined) for (const failed of this.runs.giveUp(planned)) this.audience.tell(failed);
      this.audience.tell(plannedNotice(planned, look.everywhere ?? "hints", performance.now() - startedMs));
      const event = plannedEvent(planned, look, this.holds, this.machine, this.runs);
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
      isLooking(this.machine) ? undefined : this.watcher?.unsettledPaths();
    const run = this.planning.newRun(name, reasons, this.watcher !== undefined, hints);
    const { finished, outcome } = await this.runs.run(run, this.watcher !== undefined);
    const learned = finished.digest === digest ? undefined : finished.digest;
    this.dispatch({ kind: "finished", name, digest, learned, outcome, fresh: finished.fresh });
  }

  /** Before everything is called up to date: events may have been lost, so the files are looked at once more. */
  private async verify(attempt: number): Promise<void> {
    const { signal } = (this.verifying = new AbortController());
    try {
      const isStill = await this.planning.isStill(signal);
      if (isStill !== undefined && !this.stopped) this.dispatch({ kind: "verified", attempt, isStill });
    } catch (error) {
      this.broken(error);
    }
  }

  private tellSettled(): void {
    this.planning.advise();
    if (this.watcher === undefined) return;
    // Off the way from a save to its run: with a large project this is the slowest write.
    this.hasher.save();
    this.audience.tell(settledNotice(this.machine));
  }

  /** Ends a run that takes too long as a whole, naming what it waited for. */
  private timeOut(deadlineMs: number): void {
    this.failure = this.runs.cancelAll(deadlineMs, this.machine);
    void this.stop();
  }

  private readonly notice = (text: string): void => this.audience.tell({ kind: "notice", text });

  private get isOver(): boolean {
    return this.stopped && this.runs.isEmpty;
  }
}
