import { realpathSync } from "node:fs";
import path from "node:path";
import { durationMs } from "../config/index.ts";
import { UserError } from "../errors/index.ts";
import {
  adviceOf,
  placeProject,
  planTargets,
  projectHasher,
  ProjectScanner,
  type PlannedTarget,
  type Project,
  type ProjectPlace,
  type ProjectSnapshot,
} from "../plan/index.ts";
import type { ContentHasher } from "../tree/index.ts";
import { systemClock, Watcher, type SettledHints } from "../watch/index.ts";
import type { EngineHolder } from "./engine-holder.ts";
import { Audience } from "./audience.ts";
import { tookTooLong } from "./deadline.ts";
import type { LoopListener, LoopNotice } from "./events.ts";
import { Holds } from "./holds.ts";
import { limitsOf } from "./limits.ts";
import type { LoopOptions } from "./loop-options.ts";
import { asPlannedFunction, isForced, reasonsOf, type Forced } from "./planned-function.ts";
import { ProjectLock } from "./lock.ts";
import { filesMovedSince } from "./moved-since.ts";
import { assumedEngine, openEngine } from "./open-engine.ts";
import { reduce } from "./machine.ts";
import { ProjectReader, type ReadProject } from "./project-reader.ts";
import { restlessText } from "./restless.ts";
import { retentionOf, RunStore } from "./records.ts";
import { Runs } from "./runs.ts";
import { sweepDrafts } from "./sweep-drafts.ts";
import { restoredBy } from "./restored.ts";
import { initialState, isSettled, type Effect, type FunctionState, type LoopEvent, type LoopState } from "./state.ts";
import { UntakenSettings } from "./untaken-settings.ts";
import { tellingWait } from "./waiting.ts";
import { summarize, type LoopSummary } from "./summary.ts";

/** Looks in a row that find files touched, but nothing to run. */
const touchedRounds = 3;

/**
 * A project kept true: looks at files, plans, runs what is affected, cancels what became stale. `runAll` does it once,
 * `start` goes on with every settled change until `stop`.
 */
export class Loop {
  private readonly options: LoopOptions;
  private readonly place: ProjectPlace;
  private readonly hasher: ContentHasher;
  private readonly store: RunStore;
  private readonly lock: ProjectLock;
  private readonly audience = new Audience(() => this.machine);
  private readonly runs = new Runs();
  private readonly settledWaiters: (() => void)[] = [];
  private machine: LoopState;
  private readonly reader: ProjectReader;
  private snapshot: ProjectSnapshot | undefined;
  private plans = new Map<string, PlannedTarget>();
  private engine: EngineHolder | undefined;
  private watcher: Watcher | undefined;
  /** Looks come one after another: each sees the files after the one before. */
  private looking: Promise<void> = Promise.resolve();
  /** Looks that wait for the one before. */
  private waitingLooks = 0;
  /** Without a watch nobody waits for files to rest, but for functions whose own inputs never do. */
  private holds = new Holds(systemClock, Number.POSITIVE_INFINITY);
  /** Of each function the files that made its last attempt stale. */
  private readonly restless = new Map<string, readonly string[]>();
  private firstSnapshot: ProjectSnapshot | undefined;
  /** The look before everything is called current; whatever moves ends it, and what follows makes another. */
  private confirming: AbortController | undefined;
  private forced: Forced;
  /** How many functions the last look found affected. */
  private planned = 0;
  private advised: Project | undefined;
  private untaken: UntakenSettings | undefined;
  private engineInDigests: string | undefined;
  private failure: unknown;
  private stopped = false;

  constructor(options: LoopOptions) {
    this.options = options;
    this.place = placeProject({ ...options, onNotice: (text) => this.audience.tell({ kind: "notice", text }) });
    const { state } = this.place;
    state.requireUsable();
    this.lock = ProjectLock.take(state, options.command);
    this.hasher = projectHasher(state);
    this.store = new RunStore(state);
    this.store.sweep();
    sweepDrafts(state);
    this.reader = new ProjectReader(options, this.place, options.selection ?? {}, this.hasher);
    this.machine = initialState({
      limits: limitsOf({ jobs: options.jobs }),
      failFast: options.failFast,
      manual: options.manual,
    });
    if (options.force === true) this.forced = "all";
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
      let why: SettledHints["everywhere"] = "asked";
      // What is summed up was true at one moment: that of the last look.
      for (let rounds = 0; ; rounds = this.planned > 0 ? 0 : rounds + 1) {
        await this.look({ paths: new Set(), everywhere: why });
        if (this.failure !== undefined) throw this.failure;
        await this.settled();
        if (this.failure !== undefined) throw this.failure;
        if (this.stopped || (await this.isAsSeen(rounds))) return this.summed();
        why = "confirm";
      }
    } finally {
      clearTimeout(timer);
    }
  }

  private summed(): LoopSummary {
    const summary = summarize(this.machine, this.runs.results);
    this.store.noteCurrent(summary.current);
    return summary;
  }

  /** Whether the files are those of the last look; where a program only touches them all the time, it ends after a few. */
  private async isAsSeen(rounds: number): Promise<boolean> {
    const { project, snapshot } = this;
    const hasRun = this.runs.results.size > 0;
    if (!hasRun || project === undefined || snapshot === undefined || rounds >= touchedRounds) return true;
    return (await project.scanner.isStill(snapshot, (this.confirming = new AbortController()).signal)) !== false;
  }

  /** Plans and runs, then watches: every settled change is looked at until `stop`. Resolves when it is ready. */
  async start(): Promise<void> {
    const startedMs = performance.now();
    await this.readProject();
    // What is broken is waited for; what was asked for wrongly no edit mends.
    if (this.failure instanceof UserError && this.failure.code === "usage") throw this.failure;
    const { project } = this;
    const configured = project?.config.config.watch;
    const quietMs = this.options.quietMs ?? (configured?.debounce === undefined ? 50 : durationMs(configured.debounce));
    this.holds = new Holds(systemClock, quietMs);
    this.watcher = new Watcher({
      root: this.place.root,
      state: this.place.state,
      onUnsettled: () => {
        this.confirming?.abort();
        this.dispatch({ kind: "hinted" });
      },
      onSettled: (hints) => void this.look(hints),
      concerns: (file) => this.reader.concerns(file),
      onNotice: (text) => this.audience.tell({ kind: "notice", text }),
      fingerprint: () => this.reader.scan().statDigest(),
      rules: { quietMs },
      source: this.options.source ?? (configured?.poll === true ? "polling" : "auto"),
      pollIntervalMs: configured?.pollInterval === undefined ? undefined : durationMs(configured.pollInterval),
    });
    const snapshot = this.reader.scan(undefined, this.watcher.beforeRead);
    const late = this.watcher.watch(snapshot.folders(), { lookAgain: false });
    // Every folder was watched before it was read: what is known is what the first look would see.
    if (late === 0 && this.watcher.kind === "folders") this.firstSnapshot = snapshot;
    const targets = this.reader.read?.targets ?? [];
    this.audience.tell({
      kind: "ready",
      targets: targets.map((item) => item.target.name),
      files: snapshot.size,
      folders: snapshot.folders().length,
      tookMs: Math.round(performance.now() - startedMs),
      source: this.watcher.kind,
    });
    if (this.watcher.isCalm()) await this.look({ paths: new Set(), everywhere: "start" });
    else this.watcher.lookEverywhere("start");
  }

  /** Tells of changes, as the watcher would; for programs that know what they wrote. */
  applyHints(paths: readonly string[]): Promise<void> {
    const root = realpathSync(this.place.root);
    return this.look({ paths: new Set(paths.map((file) => path.resolve(root, file))), everywhere: undefined });
  }

  /** Runs functions again whatever their state: all, those that failed, or by name. */
  rerun(which: "all" | "failed" | readonly string[]): Promise<void> {
    const failed = this.machine.functions.filter((fn) => fn.verdict === "failed" || fn.verdict === "blocked");
    this.forced = which === "all" ? "all" : new Set(which === "failed" ? failed.map((fn) => fn.name) : which);
    return this.look({ paths: new Set(), everywhere: "asked" });
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
    if (this.isAtRest()) return Promise.resolve();
    return new Promise((resolve) => this.settledWaiters.push(resolve));
  }

  /** Cancels everything, waits until it is gone, and lets go of engine, lock and watches. */
  async stop(): Promise<void> {
    if (this.stopped) return;
    this.stopped = true;
    this.confirming?.abort();
    this.watcher?.close();
    this.holds.close();
    this.dispatch({ kind: "stop" });
    await Promise.all([this.looking, this.settled()]);
    await this.engine?.close();
    this.store.prune();
    this.store.close();
    this.hasher.save();
    this.lock.release();
  }

  private look(hints: SettledHints): Promise<void> {
    this.confirming?.abort();
    if (!this.stopped) this.dispatch({ kind: "hinted" });
    this.waitingLooks++;
    this.looking = this.looking.then(async () => {
      this.waitingLooks--;
      if (this.stopped) return;
      try {
        await this.lookNow(hints);
      } catch (error) {
        this.broken(error);
      }
    });
    return this.looking;
  }

  private scan(hints: SettledHints): ProjectSnapshot {
    const first = hints.everywhere === "start" ? this.firstSnapshot : undefined;
    this.firstSnapshot = undefined;
    return (
      first ?? this.reader.scan(hints.everywhere === undefined ? hints.paths : undefined, this.watcher?.beforeRead)
    );
  }

  /** Scans, reads the project anew where its own sources moved, plans, and lets the machine decide. */
  private async lookNow(hints: SettledHints): Promise<void> {
    const startedMs = performance.now();
    let snapshot = this.project === undefined ? undefined : this.scan(hints);
    if (hints.everywhere !== undefined) this.watcher?.scanTook(performance.now() - startedMs);
    if (snapshot === undefined || this.reader.isOutdated(snapshot)) {
      await this.readProject();
      snapshot = this.reader.scan(undefined, this.watcher?.beforeRead);
    }
    this.watcher?.watch(snapshot.folders());
    const { read } = this.reader;
    if (read === undefined) return;
    const { project } = read;
    let planned = this.plan(read, snapshot);
    if (planned.some((plan) => this.isWanted(plan) && plan.item.untrusted.length === 0)) {
      // The engine is part of every digest: the first run of all opens it before anything is decided.
      const known = this.engine?.isOpen === true;
      this.engine ??= openEngine(project, this.options, this.hasher, this.audience);
      const { engine } = this;
      await this.waiting("for the engine", () => engine.info());
      const name = await engine.key();
      if (!known && planned[0]?.fingerprint.engine !== name) {
        snapshot = project.scanner.scan();
        planned = this.plan(read, snapshot, name);
      }
    }
    this.snapshot = snapshot;
    this.failure = undefined;
    this.plans = new Map(planned.map((plan) => [plan.item.target.name, plan]));
    for (const { path: at, reason } of snapshot.unreadable())
      this.audience.noticeOnce(`${at} cannot be read (${reason}); what is in it counts as absent`);
    const affected = planned.filter((plan) => this.isWanted(plan));
    if (this.watcher === undefined) this.giveUp(affected);
    this.planned = affected.filter((plan) => !this.runs.movingInputs.hasGivenUp(plan.item.target.name)).length;
    this.audience.tell({
      kind: "planned",
      affected: affected.map((plan) => ({
        name: plan.item.target.name,
        digest: plan.digest,
        reasons: reasonsOf(plan, this.forced),
      })),
      current: planned.filter((plan) => !this.isWanted(plan)).map((plan) => plan.item.target.name),
      look: hints.everywhere ?? "hints",
      tookMs: Math.round(performance.now() - startedMs),
    });
    const forced = this.forced;
    this.forced = undefined;
    this.dispatch({
      kind: "planned",
      functions: planned.map((plan) => {
        const { name } = plan.item.target;
        const before = this.machine.functions.find((fn) => fn.name === name);
        return asPlannedFunction(plan, forced, this.holds, before, this.runs.movingInputs.hasGivenUp(name));
      }),
      unsettled: this.waitingLooks > 0 || this.watcher?.isUnsettled === true,
    });
    this.advise(read, snapshot);
    this.holds.whenReleased((names) => this.dispatch({ kind: "released", names }));
    if (this.watcher === undefined || !isSettled(this.machine)) return;
    // Hints named a part of the files; before all is called current, all of them are looked at.
    if (hints.everywhere === undefined) this.confirm();
    else this.emitSettled();
  }

  /** Once for each reading of the configuration, and when what is to run has started. */
  private advise({ project, targets }: ReadProject, snapshot: ProjectSnapshot): void {
    if (this.advised === project) return;
    this.advised = project;
    const ignored = project.config.config.watch?.ignore ?? [];
    for (const item of targets)
      for (const { text } of adviceOf(item, project.root, ignored, snapshot)) this.audience.noticeOnce(text);
  }

  private isWanted(plan: PlannedTarget): boolean {
    return plan.verdict === "affected" || isForced(plan, this.forced);
  }

  private plan(
    { project, targets }: ReadProject,
    snapshot: ProjectSnapshot,
    engine = this.engineInDigests,
  ): PlannedTarget[] {
    this.engineInDigests = engine;
    if (this.snapshot !== undefined) snapshot.takeOver(this.snapshot);
    return planTargets(targets, {
      snapshot,
      root: project.root,
      moduleDigest: project.module.digest,
      engine: engine ?? assumedEngine(this.store.lastEngine(), project, this.options),
      environment: this.options.environment,
      environmentKey: this.place.state.hashKey,
      history: (target) => this.store.history(target),
      manifests: this.store.manifests,
      previous: this.snapshot,
    });
  }

  private waiting<T>(what: string, work: () => Promise<T>): Promise<T> {
    return tellingWait(what, work, (notice) => this.audience.tell(notice));
  }

  private get project(): Project | undefined {
    return this.reader.read?.project;
  }

  private async readProject(): Promise<void> {
    const wasBroken = this.failure !== undefined;
    try {
      const { project, notices } = await this.waiting("for the module to be read", () =>
        this.reader.readAgain(this.options.confirmTrust),
      );
      const { jobs, limits } = project.config.config.engine ?? {};
      this.store.retention = retentionOf(project.config.config.records);
      this.machine = { ...this.machine, limits: limitsOf({ jobs: this.options.jobs ?? jobs, limits }) };
      this.failure = undefined;
      this.untaken ??= new UntakenSettings(project.config.config);
      for (const text of this.untaken.texts(project.config.config)) this.audience.noticeOnce(text);
      if (wasBroken) this.audience.tell({ kind: "recovered" });
      for (const text of notices) this.audience.noticeOnce(text);
    } catch (error) {
      this.broken(error);
    }
  }

  /** A user's error stops nothing but this look: the next change is the next chance. A bug ends the loop. */
  private broken(error: unknown): void {
    this.failure = error;
    if (!(error instanceof UserError)) {
      this.wake();
      if (this.watcher !== undefined)
        queueMicrotask(() => {
          throw error;
        });
      return;
    }
    // A single run throws it instead.
    if (this.watcher !== undefined) this.audience.tell({ kind: "broken", error });
    this.wake();
  }

  private dispatch(event: LoopEvent): void {
    const before = this.machine;
    const { state, effects } = reduce(before, event);
    this.machine = state;
    if (this.watcher !== undefined) for (const fn of restoredBy(before, event, state)) this.tellRestored(fn);
    for (const effect of effects) this.perform(effect);
    this.audience.showState();
    if (this.isAtRest()) this.wake();
  }

  private tellRestored({ name, wanted }: FunctionState): void {
    const record = this.store
      .of(name)
      .find(({ digest, outcome, fresh }) => digest === wanted && outcome === "passed" && fresh);
    if (record === undefined) return;
    const { durationMs, reasons, startedAt } = record;
    this.audience.tell({
      kind: "restored",
      name,
      digest: wanted,
      durationMs,
      endedAtMs: Date.parse(startedAt) + durationMs,
      reasons,
    });
  }

  private perform(effect: Effect): void {
    if (effect.kind === "start") void this.runOne(effect);
    else if (effect.kind === "blocked") this.audience.tell({ kind: "blocked", name: effect.name, need: effect.need });
    else if (effect.kind === "restless") {
      const plan = this.plans.get(effect.name)!;
      const files =
        this.restless.get(effect.name) ??
        plan.reasons.flatMap((reason) => (reason.kind === "file" ? [reason.path] : []));
      const row = this.machine.functions.find((fn) => fn.name === effect.name)!;
      this.audience.noticeOnce(restlessText(plan, row, files), `restless ${effect.name} ${files[0]}`);
    } else if (effect.kind === "short") {
      this.audience.tell({
        kind: "notice",
        text: `${effect.name} waits: the limit of ${effect.of} is used up; it runs when another function has ended`,
      });
    } else {
      this.audience.tell({ kind: "cancelling", name: effect.name, digest: effect.digest, why: effect.why });
      this.runs.cancel(effect.name, effect.why);
    }
  }

  private async runOne(effect: Extract<Effect, { kind: "start" }>): Promise<void> {
    const plan = this.plans.get(effect.name)!;
    const project = this.project!;
    const snapshot = this.snapshot!;
    const context = {
      project,
      snapshot,
      engine: this.engine!,
      store: this.store,
      secretKey: this.place.state.hashKey,
      environment: this.options.environment,
      timeoutMs: this.options.timeoutMs,
      isWatching: this.watcher !== undefined,
      movedSince: () => this.movedSince(plan, project, snapshot),
      emit: (notice: LoopNotice) => this.audience.tell(notice),
    };
    const { finished, outcome } = await this.runs.run(
      { ...plan, reasons: [...effect.reasons] },
      context,
      this.watcher !== undefined,
    );
    if (finished.moved !== undefined) this.restless.set(effect.name, finished.moved);
    this.dispatch({ kind: "finished", name: effect.name, digest: effect.digest, outcome, fresh: finished.fresh });
    if (this.stopped) return;
    if (!finished.fresh) {
      // Somebody writes: a watch waits until the files rest.
      if (this.watcher === undefined) await this.look({ paths: new Set(), everywhere: "confirm" });
      else this.watcher.lookEverywhere("confirm");
    } else if (this.watcher !== undefined && isSettled(this.machine)) this.confirm();
  }

  /**
   * Inputs of a function that are not what they were; undefined where all are. A watch asks its hints and looks at
   * everything once nothing runs (`confirm`); without one, all that the function reads is looked at.
   */
  private movedSince(plan: PlannedTarget, project: Project, then: ProjectSnapshot): string[] | undefined {
    // What a call writes itself is not announced yet when it ends.
    const hintsTell =
      this.waitingLooks === 0 &&
      this.project === project &&
      !plan.item.call.core.some(({ fn }) => fn.name === "export");
    const named = !hintsTell ? undefined : this.watcher?.unsettledPaths();
    const files = (now: ProjectSnapshot): string[] => filesMovedSince(plan, then, now, this.hasher, project.root);
    if (named?.size === 0) {
      const isStill = this.plans.get(plan.item.target.name)?.digest === plan.digest;
      return isStill ? undefined : files(this.snapshot!);
    }
    const now =
      named === undefined ? new ProjectScanner(plan.item.inputs, this.hasher).scan() : project.scanner.scan(named);
    const isStill = plan.item.inputs.every(
      (input, index) => now.digest(input) === plan.fingerprint.inputs[index]!.digest,
    );
    return isStill ? undefined : files(now);
  }

  /** Of functions that ran too often in one command: nothing can be said of them while their inputs go on changing. */
  private giveUp(affected: readonly PlannedTarget[]): void {
    const { movingInputs, results } = this.runs;
    for (const { item, reasons } of affected) {
      const last = results.get(item.target.name);
      if (last === undefined || !movingInputs.isEnough(last.name) || movingInputs.hasGivenUp(last.name)) continue;
      const failed = movingInputs.failed(
        last,
        reasons.flatMap((reason) => (reason.kind === "file" ? [reason.path] : [])),
      );
      results.set(last.name, failed);
      this.audience.tell(failed);
    }
  }

  /** Before everything is called current: events may have been lost, so the files are looked at once more. */
  private confirm(): void {
    this.confirming?.abort();
    const { project, snapshot } = this;
    if (this.stopped || project === undefined || snapshot === undefined) return;
    const { signal } = (this.confirming = new AbortController());
    project.scanner.isStill(snapshot, signal).then(
      (isStill) => {
        // What was started by hand meanwhile comes back here when it has ended.
        if (isStill === undefined || signal.aborted || !isSettled(this.machine)) return;
        if (isStill) this.emitSettled();
        else this.watcher?.lookEverywhere("confirm");
      },
      (error: unknown) => this.broken(error),
    );
  }

  private emitSettled(): void {
    // Off the way from a save to its run: with a large project this is the slowest write.
    this.hasher.save();
    const named = (verdict: string): string[] =>
      this.machine.functions.filter((fn) => fn.verdict === verdict).map((fn) => fn.name);
    const parked = this.machine.functions.filter((fn) => fn.phase === "parked").map((fn) => fn.name);
    this.audience.tell({
      kind: "settled",
      current: named("current"),
      failed: named("failed"),
      blocked: named("blocked"),
      parked,
    });
  }

  /** Ends a run that takes too long as a whole, naming what it waited for. */
  private timeOut(deadlineMs: number): void {
    const error = tookTooLong(deadlineMs, this.machine, (name) => this.runs.stepOf(name));
    this.runs.cancelAll(error);
    this.failure = error;
    void this.stop();
  }

  private isAtRest(): boolean {
    return isSettled(this.machine) || (this.stopped && this.runs.isEmpty);
  }

  private wake(): void {
    for (const resolve of this.settledWaiters.splice(0)) resolve();
  }
}
