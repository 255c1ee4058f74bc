import { setTimeout } from "node:timers/promises";
import { failureOf } from "../../engine/index.ts";
import { UserError } from "../../errors/index.ts";
import { openTunnel, startService, stopService, type Running } from "../sources/engine-service.ts";
import { LiveLine, type LiveNews } from "../live/line.ts";
import type { Update } from "../live/updates.ts";
import { keepProbing, untilAnswers, untilHealthy } from "./polling.ts";
import { Memory } from "./memory.ts";
import { Output } from "./output.ts";
import { State, type Described } from "./state.ts";
import { probe } from "./probe.ts";
import type { MadeService } from "../sources/source.ts";
import type { DeclaredService, ForwardedPort, ServiceStatus, UnitOptions } from "../types.ts";

/** The last output of a process takes another way than the news of its end, and may arrive later. */
const lastOutputMs = 250;

/** One service in its container while the project is up; see `Phase` for its phases. */
export class Unit {
  private readonly options: UnitOptions;
  private described: Described;
  private readonly output: Output;
  private readonly state: State;
  private readonly memory: Memory;
  private running: Running | undefined;
  private hostname: string | undefined;
  /** Step of the process that was started last. */
  private step: string | undefined;
  /** Host name of the container that is to replace this one. */
  private nextHostname: string | undefined;
  private nextStep: string | undefined;
  private live: LiveLine | undefined;
  private hasToldUnwatched = false;
  /** Set when the process has ended but the container stays, so that the command can start again in it. */
  private stopped: LiveNews | undefined;
  private probing = new AbortController();

  constructor(options: UnitOptions) {
    this.options = options;
    this.described = options;
    this.output = new Output(options.declared.name, options.logFile, options.emit);
    this.state = new State(options);
    this.memory = new Memory(options, this.state);
  }

  get declared(): DeclaredService {
    return this.described.declared;
  }

  get fronts(): readonly ForwardedPort[] {
    return this.described.fronts;
  }

  /** Changes ports, health rule and memory limit without touching the container. Returns the previous description. */
  describe(next: Described): Described {
    const before = this.described;
    const { running, state } = this;
    this.described = next;
    state.describe(next);
    if (running !== undefined && next.declared.memoryBytes !== before.declared.memoryBytes)
      this.memory.follow(running.made.id);
    for (const { front, container } of next.fronts) {
      const port = running?.ports.get(container);
      if (port !== undefined) front.leadTo(port);
    }
    if (running !== undefined && ["healthy", "unhealthy"].includes(state.phase)) this.probe(running);
    return before;
  }

  get status(): ServiceStatus {
    return this.state.status;
  }

  /** Reports whether steps with that host name are this service's. */
  isNamed(hostname: string): boolean {
    return this.hostname === hostname || this.nextHostname === hostname;
  }

  /** Builds (after `isBuilt`) and starts the service. Resolves when it is healthy or failed; the status says which. */
  async start(made: MadeService, signal: AbortSignal, isBuilt?: Promise<void>): Promise<void> {
    const startedAt = performance.now();
    this.hostname = made.hostname;
    this.stopped = undefined;
    this.output.tail.clear();
    this.state.to("building");
    try {
      this.memory.follow(made.id);
      await isBuilt;
      await startService(this.options.session, made, signal);
      if (this.state.phase === "building") this.state.to("starting");
      this.running = await openTunnel(this.options.session, made, signal);
      await untilHealthy(this.probedPort(this.running), this.declared.health, signal);
      await this.take(this.running);
      this.state.to("healthy", { startedInMs: Math.round(performance.now() - startedAt) });
    } catch (error) {
      if (signal.aborted) return;
      await this.end();
      this.state.to("failed", { reason: this.memory.explained(this.output.reasonOf(error)) });
    }
  }

  /**
   * Starts a new container and switches to it when it is healthy. Throws when it never is; the old one then goes on.
   * The old container of an exclusive service stops first.
   */
  async replace(made: MadeService, signal: AbortSignal): Promise<void> {
    const { session } = this.options;
    const old = this.running;
    if (old === undefined || this.declared.exclusive) {
      await this.end();
      await this.start(made, signal);
      if (this.state.phase === "failed")
        throw new UserError("function-failed", this.state.status.reason ?? "it failed");
      return;
    }
    this.nextHostname = made.hostname;
    this.memory.follow(made.id);
    let next: Running = { made, tunnel: undefined, ports: new Map() };
    try {
      await startService(session, made, signal);
      next = await openTunnel(session, made, signal);
      await untilHealthy(this.probedPort(next), this.declared.health, signal);
    } catch (error) {
      await stopService(session, next);
      this.memory.follow(old.made.id);
      throw failureOf(error);
    } finally {
      this.nextHostname = undefined;
    }
    this.live?.close();
    this.hostname = made.hostname;
    this.step = this.nextStep;
    this.running = next;
    this.stopped = undefined;
    await this.take(next);
    this.state.to("healthy");
    await stopService(session, old);
  }

  /** Applies an edit in the running container. Returns `rebuild` when the container can't take edits. */
  async edit(update: Update, signal: AbortSignal): Promise<"done" | "rebuild"> {
    const { live, running } = this;
    if (live === undefined || !live.isOpen || running === undefined) return "rebuild";
    const startedAt = performance.now();
    const { files, edits, commands } = update;
    const report = (action: "synced" | "restarted" | "failed", reason?: string): "done" => {
      const tookMs = Math.round(performance.now() - startedAt);
      this.options.emit({ kind: "edit", name: this.declared.name, action, files, tookMs, ...(reason && { reason }) });
      return "done";
    };
    let watched = true;
    try {
      if (edits.length > 0) ({ watched } = await live.edit(edits));
    } catch (error) {
      if (!live.isOpen) return "rebuild";
      const why = (error as Error).message;
      this.options.emit({ kind: "notice", text: `${this.declared.name}: ${why}; a new container is made instead` });
      return "rebuild";
    }
    for (const command of commands) {
      const { exitCode, output } = await live.run(command);
      if (exitCode !== 0) return report("failed", `\`${command}\` ended with ${exitCode}\n${output}`.trimEnd());
    }
    const hasEnded = this.stopped !== undefined || this.state.phase === "ended";
    const isSeen = edits.length === 0 || watched || !(await this.isUnseen(running, signal));
    if (update.action !== "restart" && !hasEnded && isSeen) return report("synced");
    await this.restartInPlace(live, running, signal);
    return report("restarted");
  }

  /** Reports whether the command must restart because nothing in the container watches the written files. */
  private async isUnseen(running: Running, signal: AbortSignal): Promise<boolean> {
    const { name, reloads, health } = this.declared;
    const port = this.probedPort(running);
    // Its reload can't be seen; after a failed one it may wait for another file than the one with the fix.
    if (reloads) return port !== undefined && (await probe(port, health.path, signal)) !== undefined;
    if (!this.hasToldUnwatched)
      this.options.emit({
        kind: "notice",
        text: `${name}: nothing in it watches its files, so that its command starts again with each edit`,
      });
    this.hasToldUnwatched = true;
    return true;
  }

  private async restartInPlace(live: LiveLine, running: Running, signal: AbortSignal): Promise<void> {
    this.probing.abort();
    this.stopped = undefined;
    this.output.tail.clear();
    this.state.to("starting");
    await live.restart();
    const { signal: over } = (this.probing = new AbortController());
    await untilAnswers(this.probedPort(running), this.declared.health, AbortSignal.any([signal, over]));
    if (this.state.phase !== "starting") return;
    this.state.to("healthy");
    this.probe(running);
  }

  /** Makes the fronts forward to this container, and probes it from now on. */
  private async take(running: Running): Promise<void> {
    const { session } = this.options;
    for (const { front, container } of this.fronts) front.leadTo(running.ports.get(container));
    this.probe(running);
    const line = await session.openLive?.(running.made.id).catch(() => undefined);
    if (line !== undefined) this.live = new LiveLine(line, (news) => this.onNews(news));
  }

  private onNews(news: LiveNews): void {
    const { phase } = this.state;
    if ("stopped" in news) {
      if (phase === "stopping" || phase === "stopped") return;
      this.probing.abort();
      this.stopped = news;
      void this.endSoon(news);
    } else if ("unhealthy" in news && phase === "healthy")
      this.state.to("unhealthy", { reason: `its health check failed\n${news.unhealthy}`.trimEnd() });
    else if ("healthy" in news && phase === "unhealthy") this.state.to("healthy");
  }

  private async endSoon(news: LiveNews & { stopped: number }): Promise<void> {
    await setTimeout(lastOutputMs);
    // It was started again, or its end has been reported already.
    if (this.stopped !== news || ["stopping", "stopped", "ended"].includes(this.state.phase)) return;
    this.output.flush();
    this.state.to("ended", { reason: this.output.tail.below(this.memory.explained(`exit code: ${news.stopped}`)) });
  }

  /** Marks it failed for a reason outside of the service, such as a need that is not healthy. */
  fail(reason: string): void {
    this.state.to("failed", { reason });
  }

  wait(): void {
    this.state.to("waiting");
  }

  async stop(): Promise<void> {
    if (this.running === undefined) {
      if (!["failed", "ended", "stopped"].includes(this.state.phase)) this.state.to("stopped");
      return;
    }
    this.state.to("stopping");
    await this.end();
    this.state.to("stopped");
  }

  close(): void {
    this.probing.abort();
    this.output.close();
  }

  onStarted(step: string, hostname: string): void {
    if (hostname === this.nextHostname) {
      this.nextStep = step;
      return;
    }
    this.step = step;
    if (this.state.phase === "building") this.state.to("starting");
  }

  onOutput(stream: "stdout" | "stderr", text: string): void {
    this.output.push(stream, text);
  }

  /** Called at the end of the container's first process, as `onStarted` at its start. */
  onEnded(step: string, error: string | undefined): void {
    if (step !== this.step) return;
    this.output.flush();
    if (this.state.phase !== "healthy" && this.state.phase !== "unhealthy") return;
    void this.end();
    this.state.to("ended", { reason: this.output.tail.below(this.memory.explained(error ?? "it ended by itself")) });
  }

  private async end(): Promise<void> {
    this.probing.abort();
    this.memory.stop();
    this.live?.close();
    this.live = undefined;
    const { running } = this;
    this.running = undefined;
    for (const { front } of this.fronts) front.leadTo(undefined);
    if (running !== undefined) await stopService(this.options.session, running);
  }

  private probedPort(running: Running): number | undefined {
    const wanted = this.declared.health.port ?? running.made.ports[0];
    return wanted === undefined ? undefined : running.ports.get(wanted);
  }

  private probe(running: Running): void {
    this.probing.abort();
    const { signal } = (this.probing = new AbortController());
    const port = this.probedPort(running);
    if (port === undefined) return;
    void keepProbing(port, this.declared.health, signal, (why) => {
      if (why === undefined && this.state.phase === "unhealthy") this.state.to("healthy");
      else if (why !== undefined && this.state.phase === "healthy") this.state.to("unhealthy", { reason: why });
    });
  }
}
