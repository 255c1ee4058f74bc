import { Allocation, extensionOf, resourcesPoint } from "../extensions/index.ts";
import { assumedEngine, ProjectSession } from "../session/index.ts";
import {
  adviceOf,
  planTargets,
  ProjectScanner,
  type PlannedTarget,
  type Project,
  type ProjectPlace,
  type ProjectSnapshot,
  type Reason,
} from "../plan/index.ts";
import type { ContentHasher } from "../tree/index.ts";
import type { Watcher } from "../watch/index.ts";
import type { Audience } from "./audience.ts";
import { FunctionRun } from "./function-run/function-run.ts";
import { learnReads } from "./learn-reads.ts";
import type { LoopOptions } from "./loop-options.ts";
import { limitsOf, type Limits } from "./machine/limits.ts";
import type { Forced, RequestedScan } from "./machine/state.ts";
import { filesMovedSince } from "./function-run/moving-inputs.ts";
import { isWanted } from "./planned-function.ts";
import { ProjectReader, type ReadProject } from "./project-reader.ts";
import { retentionOf } from "./records/retention.ts";
import type { RunStore } from "./records/records.ts";
import { UnappliedSettings } from "./advice/unapplied-settings.ts";
import { withWaitingNotices } from "./advice/waiting.ts";

/** The result of a scan. */
export interface Planned {
  project: Project;
  snapshot: ProjectSnapshot;
  /** In the order of the plan: needs come first. */
  targets: PlannedTarget[];
  /** Functions to run whatever their state. */
  forced: Forced;
  /** What may run at the same time. */
  limits: Limits;
}

/**
 * The project as the newest scan sees it: reads configuration and module, scans the files, and plans. Opens the
 * project's session as soon as something is to run, since the engine is part of every digest.
 */
export class Planning {
  readonly reader: ProjectReader;
  private readonly options: LoopOptions;
  private readonly place: ProjectPlace;
  private readonly hasher: ContentHasher;
  private readonly store: RunStore;
  private readonly audience: Audience;
  private readonly allocation: Allocation;
  private newest: Planned | undefined;
  private opened: ProjectSession | undefined;
  /** Files for the first scan, if they were scanned while the watch started. */
  private ahead: ProjectSnapshot | undefined;
  private engineInDigests: string | undefined;
  private owed: Forced;
  private isBroken = false;
  private advised: Project | undefined;
  private unapplied: UnappliedSettings | undefined;

  constructor(options: LoopOptions, place: ProjectPlace, hasher: ContentHasher, store: RunStore, audience: Audience) {
    this.options = options;
    this.place = place;
    this.hasher = hasher;
    this.store = store;
    this.audience = audience;
    this.allocation = new Allocation((text) => audience.noticeOnce(text));
    this.reader = new ProjectReader(options, place, options.selection ?? {}, hasher);
  }

  /** Undefined until something has to run. */
  get session(): ProjectSession | undefined {
    return this.opened;
  }

  /** Undefined before the project is first read, and while it cannot be read. */
  get project(): Project | undefined {
    return this.reader.read?.project;
  }

  planOf(name: string): PlannedTarget | undefined {
    return this.newest?.targets.find(({ item }) => item.target.name === name);
  }

  /** Forces functions to run, whatever their state, with the next scan that succeeds. */
  owe(forced: Forced): void {
    this.owed = forced;
  }

  /** Reads configuration and module. Throws what is wrong with them. */
  async read(): Promise<void> {
    const wasBroken = this.isBroken;
    this.isBroken = true;
    const { project, notices } = await this.waiting("for the module to load", () =>
      this.reader.readAgain(this.options.confirmTrust),
    );
    await this.readMonitor(project);
    this.isBroken = false;
    const { config } = project.config;
    this.store.retention = retentionOf(config.records);
    this.unapplied ??= new UnappliedSettings(config);
    for (const text of this.unapplied.texts(config)) this.audience.noticeOnce(text);
    if (wasBroken) this.audience.emit({ kind: "recovered" });
    for (const text of notices) this.audience.noticeOnce(text);
  }

  /** Loads the resource monitor, but only a named one that decides by more than what functions declare. */
  private async readMonitor({ config, trust }: Project): Promise<void> {
    const isNamed = (config.config.extensions?.resources ?? "simple") !== "simple";
    const onNotice = (text: string): void => this.audience.noticeOnce(text);
    this.allocation.use(isNamed ? (await extensionOf(resourcesPoint, config, trust, onNotice)).extension : undefined);
  }

  /** The files as the newest scan saw them. */
  get snapshot(): ProjectSnapshot | undefined {
    return this.newest?.snapshot;
  }

  /** Takes over the files as they were when the watch began, so the first scan need not read them again. */
  begin(snapshot: ProjectSnapshot): void {
    this.ahead = snapshot;
  }

  /** Scans, reads the project again if its own sources changed, and plans. Throws why the project cannot be read. */
  async rescan(request: RequestedScan, watcher: Watcher | undefined): Promise<Planned> {
    this.owed = request.forced ?? this.owed;
    let snapshot = this.scan(request, watcher);
    let failure: unknown;
    if (snapshot === undefined) {
      await this.read().catch((error: unknown) => (failure = error));
      // While the project cannot be read, the files that have to be fixed are watched.
      snapshot = await this.reader.firstScan(watcher?.beforeRead);
    }
    watcher?.watch(snapshot.folders());
    if (failure !== undefined) throw failure;
    const planned = await this.plan(this.reader.read!, snapshot);
    this.owed = undefined;
    return planned;
  }

  /** Prints advice on the targets, once each time the configuration is read, and only after the runs have started. */
  advise(): void {
    const { read } = this.reader;
    if (read === undefined || this.newest === undefined || this.advised === read.project) return;
    this.advised = read.project;
    const { root, config } = read.project;
    for (const item of read.targets)
      for (const { text } of adviceOf(item, root, config.config.watch?.ignore ?? [], this.newest.snapshot))
        this.audience.noticeOnce(text);
  }

  /** Returns undefined when the project has to be read before these files can be planned. */
  private scan(request: RequestedScan, watcher: Watcher | undefined): ProjectSnapshot | undefined {
    if (this.project === undefined) return undefined;
    const startedMs = performance.now();
    const ahead = request.everywhere === "start" ? this.ahead : undefined;
    this.ahead = undefined;
    const paths = request.everywhere === undefined ? request.paths : undefined;
    const snapshot = ahead ?? this.reader.scan(paths, watcher?.beforeRead);
    if (request.everywhere !== undefined) watcher?.scanTook(performance.now() - startedMs);
    return this.reader.isOutdated(snapshot) ? undefined : snapshot;
  }

  /** Reports whether all files are as the newest scan saw them; undefined when the signal aborted the check. */
  async isStill(signal: AbortSignal): Promise<boolean | undefined> {
    const { project, newest } = this;
    if (project === undefined || newest === undefined) return undefined;
    return project.scanner.isStill(newest.snapshot, signal);
  }

  /** Creates a run on the files of the newest scan; `hintedPaths` is undefined when hints may be incomplete. */
  newRun(
    name: string,
    reasons: readonly Reason[],
    isWatching: boolean,
    hintedPaths: () => ReadonlySet<string> | undefined,
  ): FunctionRun {
    const { project, snapshot } = this.newest!;
    const notice = (text: string): void => this.audience.emit({ kind: "notice", text });
    return new FunctionRun({ ...this.planOf(name)!, reasons: [...reasons] }, project, snapshot, {
      session: this.opened!,
      store: this.store,
      secretKey: this.place.state.hashKey,
      environment: this.options.environment,
      timeoutMs: this.options.timeoutMs,
      isWatching,
      allocate: ({ plan, signal }) =>
        this.allocation.allocate({
          uses: plan.item.target.uses,
          limits: this.newest!.limits,
          signal,
          onWait: () => notice(`${name} waits: the resource monitor has no room for it yet`),
        }),
      movedSince: (run) => this.movedSince(run, hintedPaths()),
      learn: (run) => learnReads(run, this.options.environment, this.hasher, () => this.reader.outdate()),
      emit: (told) => this.audience.emit(told),
      notice,
    });
  }

  /**
   * Returns a run's inputs that changed since they were hashed, or undefined. `named` holds the paths hinted since the
   * last scan, if hints cover everything touched; otherwise everything that the function reads is scanned.
   */
  private movedSince(
    { plan, project, snapshot }: FunctionRun,
    named: ReadonlySet<string> | undefined,
  ): string[] | undefined {
    // Events for what a call itself writes may not have arrived when it ends.
    const writes = plan.item.call.core.some(({ fn }) => fn.name === "export");
    const hinted = this.project === project && !writes ? named : undefined;
    const files = (now: ProjectSnapshot): string[] => filesMovedSince(plan, snapshot, now, this.hasher, project.root);
    if (hinted?.size === 0)
      return this.planOf(plan.item.target.name)?.digest === plan.digest ? undefined : files(this.newest!.snapshot);
    const now =
      hinted === undefined ? new ProjectScanner(plan.item.inputs, this.hasher).scan() : project.scanner.scan(hinted);
    const moved = plan.item.inputs.some((input, at) => now.digest(input) !== plan.fingerprint.inputs[at]!.digest);
    return moved ? files(now) : undefined;
  }

  /** Computes digests, states and reasons of all targets for these files. */
  private async plan(read: ReadProject, seen: ProjectSnapshot): Promise<Planned> {
    const { project } = read;
    const forced = this.owed;
    const { jobs, limits } = project.config.config.engine ?? {};
    let snapshot = seen;
    let targets = this.planTargets(read, snapshot);
    // Files are sent to the engine exactly as they were hashed, so both must come from one scan.
    if (targets.some((plan) => isWanted(plan, forced)) && snapshot.look()) targets = this.planTargets(read, snapshot);
    if (targets.some((plan) => isWanted(plan, forced) && plan.item.untrusted.length === 0)) {
      // The engine is part of every digest, so the first run opens it before anything is decided.
      const known = this.opened?.isOpen === true;
      const session = (this.opened ??= this.openSession(project));
      await this.waiting("for the engine", () => session.open());
      const name = await session.key();
      if (!known && targets[0]?.fingerprint.engine !== name) {
        snapshot = project.scanner.scan();
        targets = this.planTargets(read, snapshot, name);
      }
    }
    const allowed = limitsOf({ jobs: this.options.jobs ?? jobs, limits });
    this.newest = { project, snapshot, targets, forced, limits: allowed };
    for (const { path: at, reason } of snapshot.unreadable())
      this.audience.noticeOnce(`${at} cannot be read (${reason}); what is in it counts as absent`);
    return this.newest;
  }

  private planTargets({ project, targets }: ReadProject, snapshot: ProjectSnapshot, engine?: string): PlannedTarget[] {
    this.engineInDigests = engine ?? this.engineInDigests;
    const { snapshot: previous, targets: known = [] } = this.newest ?? {};
    if (previous !== undefined) snapshot.takeOver(previous);
    for (const { affected, digest, item } of known) if (!affected) this.store.countsAgain(item.target.name, digest);
    return planTargets(targets, {
      snapshot,
      root: project.root,
      moduleDigest: project.module.digest,
      engine: this.engineInDigests ?? assumedEngine(this.store.lastEngine(), project, this.options),
      environment: this.options.environment,
      environmentKey: this.place.state.hashKey,
      history: (target) => this.store.history(target),
      manifests: this.store.manifests,
      previous,
    });
  }

  /** Creates the session with the engine that the command line names, else the configuration's. */
  private openSession({ config, root, module, state, trust }: Project): ProjectSession {
    const { environment, offline, via, writesCaches } = this.options;
    const onNotice = (text: string): void => this.audience.emit({ kind: "notice", text });
    return new ProjectSession({
      workdir: root,
      config,
      trust,
      named: this.options,
      environment,
      secretKey: state.hashKey,
      via,
      module: { name: module.name, sourceDir: module.sourceDir },
      offline,
      writesCaches: writesCaches === true,
      hasher: this.hasher,
      onNotice,
      onOpen: (session) => {
        this.audience.emit({ kind: "engine", engine: session.engine });
        session.onEvent((event) => {
          if (event.kind === "notice") onNotice(event.text);
        });
      },
    });
  }

  private waiting<T>(what: string, work: () => Promise<T>): Promise<T> {
    return withWaitingNotices(what, work, (notice) => this.audience.emit(notice));
  }
}
