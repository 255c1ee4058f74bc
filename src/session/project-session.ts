import { dependencyDefaults } from "../call/index.ts";
import { rootCapabilitiesOfUser, type LoadedConfig } from "../config/index.ts";
import type * as engineDoor from "../engine/index.ts";
import type { EngineChoice, EngineSession, OpenSessionOptions } from "../engine/index.ts";
import { UserError } from "../errors/index.ts";
import { startFunctionRuntime, type ExpectedCall, type FunctionRuntime, type ModuleInfo } from "../module/index.ts";
import { ContentHasher } from "../tree/index.ts";
import {
  engineOptionsOf,
  hostProcessAsk,
  trustedCacheOf,
  type EngineChoiceOptions,
  type Trust,
} from "../trust/index.ts";
import { LogFan, type WarmEngine } from "./warm-engine.ts";

export interface ProjectSessionOptions {
  /** Base of the session's relative host paths. */
  workdir: string;
  config: LoadedConfig;
  trust: Trust;
  /** Engine that the command line or the environment names; otherwise the configuration decides. */
  named: { engine?: string; buildkitHost?: string };
  environment: NodeJS.ProcessEnv;
  /** Key of the project, by which secrets are named. */
  secretKey?: Uint8Array;
  /** Where function bodies run: in a local process (the default), or in a Dagger engine's own containers. */
  via?: "host" | "module";
  /** The module that `currentModule` returns. */
  module?: { name: string; sourceDir: string };
  /** Fetch nothing, and give functions no network access. */
  offline?: boolean;
  /** Whether `cache.to` is written at the end. */
  writesCaches: boolean;
  /** Whether the user has allowed root capabilities of containers on the command line. */
  rootCapabilities?: boolean;
  /** Content hashes that are already known. */
  hasher?: ContentHasher;
  /** Aborts the opening. */
  signal?: AbortSignal;
  onNotice(text: string): void;
  /** Called when a session was opened: the first one, or another one after that was lost. */
  onOpen?(session: EngineSession): void;
  onTerminal?: OpenSessionOptions["onTerminal"];
  live?: OpenSessionOptions["live"];
}

/**
 * What `run`, `watch`, `call` and `session` share of a project: the engine, which is chosen once; its session, the
 * module's function runtime and the host trees, each opened when first needed and kept. A changed module only gets a
 * new runtime. `close` releases everything.
 */
export class ProjectSession {
  /** The engine that the command line requests, or else the configuration. */
  readonly engine: EngineChoiceOptions;
  private readonly options: ProjectSessionOptions;
  private chosen: Promise<EngineChoice> | undefined;
  private session: Promise<EngineSession> | undefined;
  private warm: WarmEngine | undefined;
  /** Set as soon as the process starts. */
  private bodies: { module: ModuleInfo; opening: Promise<EngineSession>; runtime: FunctionRuntime } | undefined;
  private readonly logs = new LogFan();
  private readonly closing = new AbortController();
  /** Controls a session that is being opened. */
  private opening: AbortController | undefined;

  constructor(options: ProjectSessionOptions) {
    this.options = options;
    const { config, trust, named, environment, onNotice } = options;
    this.engine = engineOptionsOf(config.config, trust, named, environment, onNotice);
  }

  /** Returns the engine that answers, without starting it. Throws a `UserError` if there is none. */
  choice(): Promise<EngineChoice> {
    this.chosen ??= engineRoom().then(async (room) => (await room.describeEngineChoice(this.engine)).choice);
    return this.chosen;
  }

  /** Returns the engine's key, which digests contain, without starting the engine. */
  key(): Promise<string> {
    const { via } = this.options;
    return engineRoom().then((room) => room.engineKey({ ...this.engine, via }));
  }

  get isOpen(): boolean {
    return this.session !== undefined;
  }

  /** Returns the session; opens it on first use, starting or setting up what it needs. */
  open(): Promise<EngineSession> {
    this.session ??= this.openAnew().catch((error: unknown) => {
      this.session = undefined;
      this.chosen = undefined;
      throw error;
    });
    return this.session;
  }

  /** Returns the session with the functions of this state of the module. `expects` is the first call, if known. */
  async forModule(module: ModuleInfo, expects?: ExpectedCall): Promise<WarmEngine> {
    const isServed = this.options.via === "module";
    // An engine serves only one state of a module in each session.
    if (isServed && this.warm !== undefined && !isSame(this.warm.module, module)) await this.drop();
    const opening = this.open();
    // The process of the bodies starts while the session opens.
    const bodies = isServed ? undefined : this.bodiesOf(module, opening, expects);
    const session = await opening.catch(async (error: unknown) => {
      await this.closeBodies(opening);
      throw error;
    });
    const { TreeSync, serveModule } = await engineRoom();
    const old = this.warm?.session === session ? this.warm : undefined;
    if (old !== undefined && isSame(old.module, module)) return old;
    const runtime = bodies ?? serveModule(session, module);
    // Snapshots belong to the session, not to the module, so they stay.
    const trees = old?.trees ?? new TreeSync(session, { hasher: this.options.hasher ?? new ContentHasher() });
    this.warm = { session, runtime, module, trees, onLog: (listener) => this.logs.add(listener) };
    return this.warm;
  }

  /** Returns why a session is unusable, and drops it; undefined if it answers. */
  async whyLost(session: EngineSession): Promise<Error | undefined> {
    const isHeld = async (): Promise<boolean> => (await this.session?.catch(() => undefined)) === session;
    // Another function has already noticed and reported this.
    if (!(await isHeld())) return new Error("its session is over");
    const lost = await (await engineRoom()).lostSession(session);
    if (lost !== undefined && (await isHeld())) await this.drop();
    return lost;
  }

  /** Drops a lost engine: the next call chooses again and opens another session. */
  async drop(): Promise<void> {
    const { session, warm, bodies } = this;
    this.chosen = undefined;
    this.session = undefined;
    this.warm = undefined;
    this.bodies = undefined;
    const open = await session?.catch(() => undefined);
    const runtimes = new Set([warm?.runtime, bodies?.runtime]);
    await Promise.all([...[...runtimes].map((runtime) => runtime?.close()), open?.close().catch(() => undefined)]);
  }

  async close(): Promise<void> {
    // Only an unfinished opening is aborted: an open session writes its caches before it ends.
    this.opening?.abort();
    this.closing.abort();
    await this.drop();
  }

  /**
   * Combines the command's signal with this one. Reading the command's signal makes the command handle signals, so it
   * is read only when needed.
   */
  private endedBy(own: AbortController): AbortSignal {
    const { signal } = this.options;
    return signal === undefined ? own.signal : AbortSignal.any([signal, own.signal]);
  }

  /** Returns the module's functions in a local process, which is replaced when the module changes. */
  private bodiesOf(module: ModuleInfo, opening: Promise<EngineSession>, expects?: ExpectedCall): FunctionRuntime {
    const old = this.bodies;
    if (old !== undefined && old.opening === opening && isSame(old.module, module)) return old.runtime;
    const runtime = this.startBodies(module, opening, expects);
    this.bodies = { module, opening, runtime };
    void old?.runtime.close();
    return runtime;
  }

  private async closeBodies(opening: Promise<EngineSession>): Promise<void> {
    const { bodies } = this;
    if (bodies?.opening !== opening) return;
    this.bodies = undefined;
    await bodies.runtime.close();
  }

  private startBodies(module: ModuleInfo, opening: Promise<EngineSession>, expects?: ExpectedCall): FunctionRuntime {
    const { onNotice, environment, trust, offline, secretKey, workdir } = this.options;
    return startFunctionRuntime({
      module,
      session: opening.then(({ body }) => body),
      onLog: (log) => this.logs.emit(log),
      onNotice,
      env: environment,
      ...(expects === undefined ? {} : { expects }),
      ...(secretKey === undefined
        ? {}
        : { defaults: dependencyDefaults(opening, { env: environment, cwd: workdir, secretKey }) }),
      mayRunOnHost: () => trust.allows(hostProcessAsk(module.name)),
      ...(offline === true
        ? {}
        : {
            buildBoundary: async () => {
              // Without an engine no body runs, so its error does not wait for the boundary.
              const failed = new AbortController();
              opening.catch((error: unknown) => failed.abort(error));
              const signal = AbortSignal.any([this.endedBy(this.closing), failed.signal]);
              await (await engineRoom()).setUpBoundary({ onNotice, signal });
            },
          }),
    });
  }

  /** A Dagger engine decides for itself what it fetches; one that would have to be downloaded first is an error. */
  private reportOffline({ kind }: EngineChoice): void {
    if (kind === "dagger-sdk")
      throw needsNetwork("the engine that the Dagger SDK brings", "`--engine embedded`, or the dagger CLI");
    if (kind.startsWith("dagger"))
      this.options.onNotice("--offline bounds the embedded engine: a Dagger engine decides itself what it fetches");
  }

  private async openAnew(): Promise<EngineSession> {
    const { workdir, config, trust, module, offline, environment, onNotice, onTerminal, live } = this.options;
    const opening = (this.opening = new AbortController());
    // First, because it reports what is not used, whatever happens to the engine.
    const cache = trustedCacheOf(config.config, trust, environment, onNotice);
    const { needsDagger, openChosenSession } = await engineRoom();
    const choice = await this.choice();
    if (offline === true) this.reportOffline(choice);
    // Checked before an engine is started in vain.
    if (this.options.via === "module" && choice.kind.startsWith("buildkit")) throw needsDagger();
    const session = await openChosenSession(choice, {
      workdir,
      ...this.engine,
      // The keys of cached data depend on whether locations are configured, so offline they stay configured but unused.
      cache: cache && {
        from: offline === true ? [] : cache.from,
        to: offline === true || !this.options.writesCaches ? [] : cache.to,
      },
      rootCapabilities:
        this.options.rootCapabilities === true ||
        trust.allowsRootCapabilities ||
        (await rootCapabilitiesOfUser(environment)),
      module,
      offline,
      signal: this.endedBy(opening),
      onNotice,
      ...(onTerminal === undefined ? {} : { onTerminal }),
      ...(live === undefined ? {} : { live }),
    });
    if (this.opening === opening) this.opening = undefined;
    this.options.onOpen?.(session);
    return session;
  }
}

function needsNetwork(what: string, hint: string): UserError {
  return new UserError("engine-unavailable", `${what} needs the network`, { place: "--offline", hint });
}

function isSame(a: ModuleInfo, b: ModuleInfo): boolean {
  return a.digest === b.digest && a.root === b.root;
}

/** Loaded only when an engine is needed, so that commands that only plan start faster. */
const engineRoom = (): Promise<typeof engineDoor> => import("../engine/index.ts");
