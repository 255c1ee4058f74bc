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
  /** Host paths of the session are relative to this folder. */
  workdir: string;
  config: LoadedConfig;
  trust: Trust;
  /** What the command line or the environment names; else the configuration does. */
  named: { engine?: string; buildkitHost?: string };
  environment: NodeJS.ProcessEnv;
  /** The project's, by which secrets are named. */
  secretKey?: Uint8Array;
  /** Where function bodies run: a process beside this one (the default), or a Dagger engine's own containers. */
  via?: "host" | "module";
  /** What `currentModule` answers with. */
  module?: { name: string; sourceDir: string };
  /** Nothing is fetched, and functions have no way to the network. */
  offline?: boolean;
  /** Whether `cache.to` is written at the end. */
  writesCaches: boolean;
  /** The user has typed that containers may have root capabilities. */
  rootCapabilities?: boolean;
  /** Content hashes that are known already. */
  hasher?: ContentHasher;
  /** Ends the opening. */
  signal?: AbortSignal;
  onNotice(text: string): void;
  /** A session was opened: the first, or another one after that was lost. */
  onOpen?(session: EngineSession): void;
  onTerminal?: OpenSessionOptions["onTerminal"];
  live?: OpenSessionOptions["live"];
}

/**
 * What `run`, `watch`, `call` and `session` have of a project while they work in it: the engine, which is chosen once;
 * its session, the module's function runtime and the host trees, each opened when it is first needed and kept. A new
 * state of the module gets a new runtime only. `close` releases all of it.
 */
export class ProjectSession {
  /** Which engine is asked for, by the command line or else the configuration. */
  readonly engine: EngineChoiceOptions;
  private readonly options: ProjectSessionOptions;
  private chosen: Promise<EngineChoice> | undefined;
  private session: Promise<EngineSession> | undefined;
  private warm: WarmEngine | undefined;
  /** From the moment its process is started. */
  private bodies: { module: ModuleInfo; opening: Promise<EngineSession>; runtime: FunctionRuntime } | undefined;
  private readonly logs = new LogFan();
  private readonly closing = new AbortController();
  /** Of a session that is being opened. */
  private opening: AbortController | undefined;

  constructor(options: ProjectSessionOptions) {
    this.options = options;
    const { config, trust, named, environment, onNotice } = options;
    this.engine = engineOptionsOf(config.config, trust, named, environment, onNotice);
  }

  /** Which engine answers; found out without waking it. Throws `UserError` where none can. */
  choice(): Promise<EngineChoice> {
    this.chosen ??= engineRoom().then(async (room) => (await room.describeEngineChoice(this.engine)).choice);
    return this.chosen;
  }

  /** What digests hold of the engine that answers; found out without waking it. */
  key(): Promise<string> {
    const { via } = this.options;
    return engineRoom().then((room) => room.engineKey({ ...this.engine, via }));
  }

  get isOpen(): boolean {
    return this.session !== undefined;
  }

  /** The session itself; opens it, and starts or sets up what it needs. */
  open(): Promise<EngineSession> {
    this.session ??= this.openAnew().catch((error: unknown) => {
      this.session = undefined;
      this.chosen = undefined;
      throw error;
    });
    return this.session;
  }

  /** The session with the functions of this state of the module. `expects`: what will be called first, where that is known. */
  async forModule(module: ModuleInfo, expects?: ExpectedCall): Promise<WarmEngine> {
    const isServed = this.options.via === "module";
    // An engine serves one state of a module to a session.
    if (isServed && this.warm !== undefined && !isSame(this.warm.module, module)) await this.drop();
    const opening = this.open();
    // A process starts while the session opens.
    const bodies = isServed ? undefined : this.bodiesOf(module, opening, expects);
    const session = await opening.catch(async (error: unknown) => {
      await this.closeBodies(opening);
      throw error;
    });
    const { TreeSync, serveModule } = await engineRoom();
    const old = this.warm?.session === session ? this.warm : undefined;
    if (old !== undefined && isSame(old.module, module)) return old;
    const runtime = bodies ?? serveModule(session, module);
    // Snapshots belong to the session, not to the module: they stay.
    const trees = old?.trees ?? new TreeSync(session, { hasher: this.options.hasher ?? new ContentHasher() });
    this.warm = { session, runtime, module, trees, onLog: (listener) => this.logs.add(listener) };
    return this.warm;
  }

  /** Why that session can be used no longer; undefined for one that answers. One that does not is dropped. */
  async whyLost(session: EngineSession): Promise<Error | undefined> {
    const isHeld = async (): Promise<boolean> => (await this.session?.catch(() => undefined)) === session;
    // Another function found out before, and told why.
    if (!(await isHeld())) return new Error("its session is over");
    const lost = await (await engineRoom()).lostSession(session);
    if (lost !== undefined && (await isHeld())) await this.drop();
    return lost;
  }

  /** After the engine went away: the next call chooses again and opens another session. */
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
    // Only what is not open yet is given up: a session that is writes its caches before it ends.
    this.opening?.abort();
    this.closing.abort();
    await this.drop();
  }

  /** The command's own signal, or this one. The command takes over signals as soon as its own is read: not before it is needed. */
  private endedBy(own: AbortController): AbortSignal {
    const { signal } = this.options;
    return signal === undefined ? own.signal : AbortSignal.any([signal, own.signal]);
  }

  /** The module's functions in a process beside this one; a new state of the module replaces it. */
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
            buildBoundary: async () =>
              (await engineRoom()).setUpBoundary({ onNotice, signal: this.endedBy(this.closing) }),
          }),
    });
  }

  /** What a Dagger engine fetches is its own affair; one that has to be downloaded first is not there. */
  private tellOffline({ kind }: EngineChoice): void {
    if (kind === "dagger-sdk")
      throw needsNetwork("the engine that the Dagger SDK brings", "`--engine embedded`, or the dagger CLI");
    if (kind.startsWith("dagger"))
      this.options.onNotice("--offline bounds the embedded engine: a Dagger engine decides itself what it fetches");
  }

  private async openAnew(): Promise<EngineSession> {
    const { workdir, config, trust, module, offline, environment, onNotice, onTerminal, live } = this.options;
    const opening = (this.opening = new AbortController());
    // First, for it says what is not used, whatever becomes of the engine.
    const cache = trustedCacheOf(config.config, trust, environment, onNotice);
    const { needsDagger, openChosenSession } = await engineRoom();
    const choice = await this.choice();
    if (offline === true) this.tellOffline(choice);
    // Before an engine is started for nothing.
    if (this.options.via === "module" && choice.kind.startsWith("buildkit")) throw needsDagger();
    const session = await openChosenSession(choice, {
      workdir,
      ...this.engine,
      // That there are some is in the keys of what they hold: without the network they stay, and are not used.
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

/** Loaded when an engine is needed: what only plans starts without it. */
const engineRoom = (): Promise<typeof engineDoor> => import("../engine/index.ts");
