import type * as engineDoor from "../engine/index.ts";
import type { EngineInfo, EngineLimits, EngineSession, SharedCache } from "../engine/index.ts";
import { dependencyDefaults } from "../call/index.ts";
import { startModuleHost, type ModuleHost, type ModuleInfo } from "../module/index.ts";
import type { ContentHasher } from "../tree/index.ts";
import { LogFan, warmEngine, type WarmEngine } from "./executor.ts";

export interface EngineHolderOptions {
  workdir: string;
  engine: string;
  buildkitHost?: string;
  idleMs?: number;
  limits?: EngineLimits;
  offline?: boolean;
  /** Where function bodies run: a process beside this one, or a Dagger engine's own containers. */
  via: "host" | "module";
  cache?: SharedCache;
  module: { name: string; sourceDir: string };
  /** Whether containers may have root capabilities. */
  rootCapabilities(): Promise<boolean>;
  /** Whether function bodies may run as the user where the machine has no boundary. */
  mayRunOnHost(): boolean;
  environment: NodeJS.ProcessEnv;
  /** The project's, by which secrets are named. */
  secretKey: Uint8Array;
  hasher: ContentHasher;
  onNotice(text: string): void;
  onEngine(engine: EngineInfo): void;
}

/** One warm session and one warm module host, opened when first needed and kept; a new module gets a new host only. */
export class EngineHolder {
  private readonly options: EngineHolderOptions;
  private session: Promise<EngineSession> | undefined;
  private warm: { module: ModuleInfo; host: ModuleHost; engine: WarmEngine } | undefined;
  private readonly logs = new LogFan();
  private readonly closing = new AbortController();
  private keyOnce: Promise<string> | undefined;

  constructor(options: EngineHolderOptions) {
    this.options = options;
  }

  /** The engine that answers, once a session is open. */
  async info(): Promise<EngineInfo> {
    return (await this.openSession()).engine;
  }

  /** What digests hold of it. */
  key(): Promise<string> {
    const { engine, buildkitHost, via } = this.options;
    return (this.keyOnce ??= engineRoom().then(({ engineKey }) => engineKey({ engine, buildkitHost, via })));
  }

  get isOpen(): boolean {
    return this.session !== undefined;
  }

  async forModule(module: ModuleInfo): Promise<WarmEngine> {
    // An engine serves one state of a module to a session.
    if (this.options.via === "module" && this.warm !== undefined && !isSame(this.warm.module, module))
      await this.drop();
    const [session, { TreeSync, serveModule }] = await Promise.all([this.openSession(), engineRoom()]);
    const old = this.warm;
    if (old !== undefined && isSame(old.module, module)) return old.engine;
    const host = this.options.via === "module" ? serveModule(session, module) : this.bodies(session, module);
    // Snapshots belong to the session, not to the module: they stay.
    const fresh = warmEngine(session, host, module, new TreeSync(session, { hasher: this.options.hasher }), this.logs);
    const engine = old === undefined || old.engine.session !== session ? fresh : { ...fresh, trees: old.engine.trees };
    this.warm = { module, host, engine };
    await old?.host.close();
    return engine;
  }

  private bodies(session: EngineSession, module: ModuleInfo): ModuleHost {
    const { onNotice, environment, mayRunOnHost, offline, workdir, secretKey } = this.options;
    return startModuleHost({
      module,
      session: session.body,
      onLog: (log) => this.logs.emit(log),
      onNotice,
      env: environment,
      defaults: dependencyDefaults(session, { env: environment, cwd: workdir, secretKey }),
      mayRunOnHost,
      ...(offline === true
        ? {}
        : { buildBoundary: async () => (await engineRoom()).setUpBoundary({ onNotice, signal: this.closing.signal }) }),
    });
  }

  /** Why that session can be used no longer; undefined for one that answers. One that does not is dropped. */
  async whyLost(session: EngineSession): Promise<string | undefined> {
    const isHeld = async (): Promise<boolean> => (await this.session?.catch(() => undefined)) === session;
    // Another function found out before, and told why.
    if (!(await isHeld())) return "its session is over";
    const lost = await (await engineRoom()).lostSession(session);
    if (lost === undefined) return undefined;
    if (await isHeld()) await this.drop();
    return lost.message;
  }

  /** After the engine went away: the next call opens another session. */
  async drop(): Promise<void> {
    const { session, warm } = this;
    this.session = undefined;
    this.warm = undefined;
    await warm?.host.close();
    await (await session?.catch(() => undefined))?.close().catch(() => undefined);
  }

  async close(): Promise<void> {
    this.closing.abort();
    await this.drop();
  }

  private openSession(): Promise<EngineSession> {
    this.session ??= this.open();
    return this.session;
  }

  private async open(): Promise<EngineSession> {
    const { workdir, engine, via, rootCapabilities, buildkitHost, idleMs, limits, cache, module, offline, onNotice } =
      this.options;
    try {
      const { describeEngineChoice, needsDagger, openSession } = await engineRoom();
      // Before an engine is started for nothing.
      if (via === "module" && (await describeEngineChoice({ engine, buildkitHost })).choice.kind.startsWith("buildkit"))
        throw needsDagger();
      const session = await openSession({
        workdir,
        rootCapabilities: await rootCapabilities(),
        engine,
        buildkitHost,
        idleMs,
        limits,
        cache,
        module,
        offline,
        signal: this.closing.signal,
        onNotice,
      });
      this.options.onEngine(session.engine);
      session.onEvent((event) => {
        if (event.kind === "notice") onNotice(event.text);
      });
      return session;
    } catch (error) {
      this.session = undefined;
      throw error;
    }
  }
}

function isSame(a: ModuleInfo, b: ModuleInfo): boolean {
  return a.digest === b.digest && a.root === b.root;
}

/** Loaded when an engine is needed: what only plans starts without it. */
const engineRoom = (): Promise<typeof engineDoor> => import("../engine/index.ts");
