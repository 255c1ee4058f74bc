/** Runs a service that is a host process: `local` of fastloop.yaml. */
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import { UserError } from "../../errors/index.ts";
import type { Update } from "../live/updates.ts";
import { portHolder } from "../ports/holder.ts";
import { reachOf } from "../sources/reach.ts";
import type { MadeService } from "../sources/source.ts";
import type { DeclaredService, ForwardedPort, LocalSource, ServiceStatus, UnitOptions } from "../types.ts";
import { HostProcess } from "./host-process.ts";
import { keepProbing, untilHealthy } from "./polling.ts";
import { Output } from "./output.ts";
import { probe } from "./probe.ts";
import { State, type Described } from "./state.ts";
import type { ServiceUnit } from "./service-unit.ts";

/** Without a port or health path, a server that lives this long has started. */
const livesMs = 300;
/** Pause before a server that exited is started again; doubled each time. */
const firstPauseMs = 1_000;
const longestPauseMs = 30_000;
const readyLookMs = 50;

/**
 *     building (`run`) ─▶ starting (`serve`) ─▶ healthy ◀─▶ unhealthy          no `serve`: healthy when `run` has ended
 *        └─▶ failed          └─▶ failed          └─ server exited ─▶ starting again, after a pause
 */
export class LocalUnit implements ServiceUnit {
  private readonly options: UnitOptions;
  private readonly output: Output;
  private readonly state: State;
  private described: Described;
  private server: HostProcess | undefined;
  private command: HostProcess | undefined;
  private over = new AbortController();

  constructor(options: UnitOptions) {
    this.options = options;
    this.described = options;
    this.output = new Output(options.declared.name, options.logFile, options.emit);
    this.state = new State(options);
  }

  get declared(): DeclaredService {
    return this.described.declared;
  }

  get fronts(): readonly ForwardedPort[] {
    return [];
  }

  get status(): ServiceStatus {
    return this.state.status;
  }

  describe(next: Described): Described {
    const before = this.described;
    this.described = next;
    this.state.describe(next);
    return before;
  }

  isNamed(): boolean {
    return false;
  }

  async start(_made: MadeService, signal: AbortSignal): Promise<void> {
    const startedAt = performance.now();
    await this.end();
    this.output.tail.clear();
    this.state.to("building");
    try {
      await this.run();
      if (!signal.aborted) await this.serve(signal);
      if (signal.aborted) return await this.end();
      if (this.source.isForeign === true) return await this.find();
      this.state.to("healthy", { startedInMs: Math.round(performance.now() - startedAt) });
    } catch (error) {
      await this.end();
      if (!signal.aborted) this.state.to("failed", { reason: this.output.reasonOf(error) });
    }
  }

  async replace(made: MadeService, signal: AbortSignal): Promise<void> {
    await this.start(made, signal);
    if (this.state.phase === "failed") throw new UserError("function-failed", this.state.status.reason ?? "it failed");
  }

  /** Runs `run`, and restarts the server only after that passed: until then the old server goes on. */
  async edit({ files }: Update, signal: AbortSignal): Promise<"done"> {
    const startedAt = performance.now();
    const { emit } = this.options;
    const { name } = this.declared;
    const tookMs = (): number => Math.round(performance.now() - startedAt);
    this.output.tail.clear();
    let isReplaced = false;
    try {
      await this.run();
      if (this.source.serve !== undefined && !signal.aborted) {
        await this.endServer();
        isReplaced = true;
        await this.serve(signal);
      }
      if (signal.aborted) return "done";
      if (this.state.phase !== "healthy") this.state.to("healthy");
      emit({ kind: "edit", name, action: "restarted", files, tookMs: tookMs() });
    } catch (error) {
      const reason = this.output.reasonOf(error);
      // A server that was not ready in time is ended, as nothing supervises it.
      if (isReplaced) await this.endServer();
      if (this.server === undefined && this.source.serve !== undefined) this.state.to("failed", { reason });
      if (!signal.aborted) emit({ kind: "edit", name, action: "failed", files, tookMs: tookMs(), reason });
    }
    return "done";
  }

  fail(reason: string): void {
    this.state.to("failed", { reason });
  }

  wait(): void {
    this.state.to("waiting");
  }

  async stop(): Promise<void> {
    if (this.server !== undefined || this.command !== undefined) this.state.to("stopping");
    await this.end();
    if (this.state.phase !== "failed") this.state.to("stopped");
  }

  close(): void {
    this.over.abort();
    this.output.close();
  }

  onStarted(): void {}
  onOutput(): void {}
  onEnded(): void {}

  private get source(): LocalSource {
    return this.declared.source as LocalSource;
  }

  private spawn(command: string): HostProcess {
    const { root, env, needed, within = (same: string) => same } = this.options;
    const port = this.declared.ports?.[0]?.host;
    return new HostProcess({
      command: within(command),
      cwd: path.join(root, this.source.cwd),
      env: {
        ...env,
        ...reachOf(needed(this.declared)),
        ...(port === undefined ? {} : { PORT: String(port) }),
        ...this.source.env,
      },
      onOutput: (stream, text) => this.output.push(stream, text),
    });
  }

  private async run(): Promise<void> {
    const { run } = this.source;
    if (run === undefined) return;
    this.command = this.spawn(run);
    const how = await this.command.ended;
    this.command = undefined;
    this.output.flush();
    if (how !== undefined) throw new UserError("function-failed", `\`${run}\` ended: ${how}`);
  }

  private async serve(signal: AbortSignal): Promise<void> {
    const { serve } = this.source;
    if (serve === undefined) return;
    this.over.abort();
    const { signal: over } = (this.over = new AbortController());
    await this.serveOnce(serve, AbortSignal.any([signal, over]));
    if (!signal.aborted) void this.keep(serve, over);
  }

  /** Resolves when the server is ready. Throws when it exits before, is not ready in time, or its port is taken. */
  private async serveOnce(serve: string, signal: AbortSignal): Promise<HostProcess> {
    const { ports = [], health } = this.declared;
    for (const { host } of ports) {
      if ((await probe(host, undefined, signal, health.host)) !== undefined) continue;
      const holder = portHolder(host);
      const who = holder === undefined ? "another program has it" : `process ${holder.pid} has it: ${holder.command}`;
      throw new UserError("usage", `port ${host}: ${who}`);
    }
    if (signal.aborted) throw new UserError("function-failed", "it was stopped before it started");
    this.state.to("starting");
    const server = (this.server = this.spawn(serve));
    const ended = server.ended.then((how) => {
      if (this.server === server) this.server = undefined;
      this.output.flush();
      throw new UserError("function-failed", `\`${serve}\` ended: ${how ?? "exit code: 0"}`);
    });
    ended.catch(() => undefined);
    const settled = new AbortController();
    const ready = this.ready(AbortSignal.any([signal, settled.signal]));
    try {
      await Promise.race([ended, ready]);
    } finally {
      settled.abort();
    }
    if (health.path === undefined && ports.length === 0) await Promise.race([ended, pause(livesMs, signal)]);
    return server;
  }

  /** Probes a server that the user starts and stops, and reports when it answers. */
  private async find(): Promise<void> {
    this.over.abort();
    const { signal: over } = (this.over = new AbortController());
    const port = this.port!;
    const note = (why: string | undefined): void => {
      if (why === undefined && this.state.phase !== "healthy") this.state.to("healthy");
      else if (why !== undefined && this.state.phase !== "unhealthy")
        this.state.to("unhealthy", { reason: `nothing answers on localhost:${port} yet: start it there` });
    };
    note(await probe(port, this.declared.health.path, over, this.declared.health.host));
    void keepProbing(port, this.declared.health, over, note, { everyMs: readyLookMs * 10, failedLooks: 1 });
  }

  private get port(): number | undefined {
    const { ports = [], health } = this.declared;
    return health.port ?? ports[0]?.host;
  }

  private async ready(signal: AbortSignal): Promise<void> {
    const { health } = this.declared;
    if (health.path !== undefined) return untilHealthy(this.port, health, signal);
    const limit = AbortSignal.timeout(health.timeoutMs);
    while (this.port !== undefined && !signal.aborted) {
      if ((await probe(this.port, undefined, signal, health.host)) === undefined) return;
      if (limit.aborted)
        throw new UserError("timed-out", `nothing listens on port ${this.port} after ${health.timeoutMs / 1000} s`);
      await pause(readyLookMs, signal);
    }
  }

  /** Restarts the server whenever it exits, until `over`. */
  private async keep(serve: string, over: AbortSignal): Promise<void> {
    let failed: string | undefined;
    for (let pauseMs = firstPauseMs; !over.aborted;) {
      const { server } = this;
      const startedAt = performance.now();
      const looking = new AbortController();
      if (this.port !== undefined)
        void keepProbing(this.port, this.declared.health, AbortSignal.any([over, looking.signal]), (why) => {
          if (why === undefined && this.state.phase === "unhealthy") this.state.to("healthy");
          else if (why !== undefined && this.state.phase === "healthy") this.state.to("unhealthy", { reason: why });
        });
      const how = await server?.ended;
      looking.abort();
      if (over.aborted) return;
      const end = failed ?? how ?? "exit code: 0";
      this.state.to("ended", { reason: this.output.tail.below(`${end}; it starts again`) });
      if (performance.now() - startedAt > longestPauseMs) pauseMs = firstPauseMs;
      await pause(pauseMs, over);
      if (over.aborted) return;
      pauseMs = Math.min(pauseMs * 2, longestPauseMs);
      this.output.tail.clear();
      try {
        await this.serveOnce(serve, over);
        if (!over.aborted) this.state.to("healthy");
        failed = undefined;
      } catch (error) {
        const { message } = error as Error;
        // Without a server, the next turn of the loop reports the reason; with one, the server may still become ready.
        failed = this.server === undefined ? message : undefined;
        if (this.server !== undefined && !over.aborted) this.state.to("unhealthy", { reason: message });
      }
    }
  }

  private async endServer(): Promise<void> {
    this.over.abort();
    const { server } = this;
    this.server = undefined;
    await server?.stop();
  }

  private async end(): Promise<void> {
    await Promise.all([this.endServer(), this.command?.stop()]);
    this.command = undefined;
  }
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  setTimeout(ms, undefined, { signal }).catch(() => undefined);
