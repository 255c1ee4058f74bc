/** A service that runs either in its container or as a host process: `up --local`. */
import { writeFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { UserError } from "../../errors/index.ts";
import type { Update } from "../live/updates.ts";
import { portHolder } from "../ports/holder.ts";
import type { MadeService } from "../sources/source.ts";
import type { DeclaredService, ForwardedPort, Place, ServiceStatus, StandIn, UnitOptions } from "../types.ts";
import { HostNames, withAddresses } from "./host-names.ts";
import { LocalUnit } from "./local-unit.ts";
import type { ServiceUnit } from "./service-unit.ts";
import type { Described } from "./state.ts";
import { Unit } from "./unit.ts";

/** Interval of trying to take a port back. */
const retakeMs = 500;

/**
 *     local ◀──────▶ container
 *
 * The old place ends only when the new one is ready. The ports forward to the new place from then on, so dependents
 * keep their containers. To a process that the user starts they forward at once.
 */
export class SwitchUnit implements ServiceUnit {
  private readonly options: UnitOptions;
  private readonly container: Unit;
  private readonly host: LocalUnit;
  private readonly closing = new AbortController();
  private names: HostNames | undefined;
  private now: Place = "local";
  /** Whether the ports forward to the host process. */
  private leads = false;

  constructor(options: UnitOptions) {
    this.options = options;
    this.container = new Unit({ ...options, emit: this.emitFor("container") });
    this.host = new LocalUnit({
      ...options,
      declared: asLocal(options.declared, {}),
      fronts: [],
      // The container's unit writes the log for both, so that one file has one writer.
      logFile: undefined,
      within: (command) => this.names?.within(command) ?? command,
      emit: this.emitFor("local"),
    });
  }

  get place(): Place {
    return this.now;
  }

  get declared(): DeclaredService {
    return this.container.declared;
  }

  get fronts(): readonly ForwardedPort[] {
    return this.container.fronts;
  }

  get status(): ServiceStatus {
    return this.seen(this.now === "local" ? this.host.status : this.container.status);
  }

  /** Whether dependents may start: they don't wait for a process that the user has to start. */
  get isThere(): boolean {
    return this.status.phase === "healthy" || (this.now === "local" && this.standIn.command === undefined);
  }

  describe(next: Described): Described {
    const before = this.container.describe(next);
    if (this.leads) this.lead();
    return before;
  }

  isNamed(hostname: string): boolean {
    return this.container.isNamed(hostname);
  }

  async start(made: MadeService, signal: AbortSignal, isBuilt?: Promise<void>): Promise<void> {
    if (this.now === "container") return this.container.start(made, signal, isBuilt);
    await this.startHost(signal);
  }

  async replace(made: MadeService, signal: AbortSignal): Promise<void> {
    if (this.now === "container") await this.container.replace(made, signal);
  }

  /** A host process reads the project's files directly, so an edit needs nothing. */
  async edit(update: Update, signal: AbortSignal): Promise<"done" | "rebuild"> {
    return this.now === "local" ? "done" : this.container.edit(update, signal);
  }

  /**
   * Moves the service. `made` is the container to start. Throws when the service is not ready at the new place; it then
   * stays at the old one.
   */
  async switchTo(place: Place, made: MadeService, signal: AbortSignal): Promise<void> {
    if (place === this.now) return;
    if (place === "local") {
      this.leave();
      this.now = "local";
      await this.startHost(signal);
      const { phase, reason = "it failed" } = this.host.status;
      if (phase === "failed") {
        await this.backToContainer();
        throw new UserError("function-failed", reason);
      }
      await this.container.stop();
      return;
    }
    await this.container.start(made, signal);
    const { phase, reason = "it failed" } = this.container.status;
    if (phase === "failed") throw new UserError("function-failed", reason);
    await this.backToContainer();
  }

  fail(reason: string): void {
    this.active.fail(reason);
  }

  wait(): void {
    this.active.wait();
  }

  async stop(): Promise<void> {
    await Promise.all([this.host.stop(), this.container.stop()]);
    this.names?.close();
    this.names = undefined;
  }

  close(): void {
    this.closing.abort();
    this.names?.close();
    this.host.close();
    this.container.close();
  }

  onStarted(step: string, hostname: string): void {
    this.container.onStarted(step, hostname);
  }

  onOutput(stream: "stdout" | "stderr", text: string): void {
    this.container.onOutput(stream, text);
  }

  onEnded(step: string, error: string | undefined): void {
    this.container.onEnded(step, error);
  }

  private get active(): ServiceUnit {
    return this.now === "local" ? this.host : this.container;
  }

  private get standIn(): StandIn {
    return this.declared.standIn!;
  }

  /**
   * Passes on state events only from the place where the service is now. Host output goes through the container's log.
   */
  private emitFor(place: Place): UnitOptions["emit"] {
    const { emit } = this.options;
    return (event) => {
      if (event.kind === "log" && place === "local") this.container.onOutput(event.stream, `${event.text}\n`);
      else if (event.kind !== "state") emit(event);
      else if (place === this.now) {
        // Before anybody is told that it is ready, so that who connects then gets it.
        if (place === "local" && event.service.phase === "healthy") this.lead();
        emit({ kind: "state", service: this.seen(event.service) });
      }
    };
  }

  private seen(status: ServiceStatus): ServiceStatus {
    const { ports, needs } = this.container.status;
    return { ...status, ports, needs, place: this.now };
  }

  private async startHost(signal: AbortSignal): Promise<void> {
    const { options, declared, standIn } = this;
    const needed = options.needed(declared);
    this.leave();
    if (standIn.command === undefined) this.lead();
    if (standIn.command === undefined) this.writeEnv(withAddresses(standIn.env, needed));
    else if (options.logFile !== undefined)
      this.names ??= await HostNames.open(needed, options.root, options.logFile.replace(/\.log$/, ".hosts"));
    const env = this.names === undefined ? withAddresses(standIn.env, needed) : standIn.env;
    this.host.describe({ declared: asLocal(declared, env), fronts: [] });
    await this.host.start({ id: "", hostname: "", ports: [] }, signal);
  }

  /** Writes the environment of a process that the user starts, and says where the file is. */
  private writeEnv(env: Readonly<Record<string, string>>): void {
    const { logFile, emit } = this.options;
    if (logFile === undefined) return;
    const file = logFile.replace(/\.log$/, ".env");
    const lines = Object.entries(env).map(([key, value]) => `${key}=${JSON.stringify(value)}\n`);
    writeFileSync(file, lines.join(""), { mode: 0o600 });
    const { name } = this.declared;
    emit({ kind: "notice", text: `${name}: start it on port ${this.standIn.port}; its environment is in ${file}` });
  }

  private lead(): void {
    this.leads = true;
    const { port, container } = this.standIn;
    const all = this.fronts.map((front) => front.container);
    const taken = container ?? (all.includes(port) ? port : all[0]);
    for (const led of this.fronts)
      led.front.leadInstead(led.container === taken ? { port, host: "localhost" } : undefined);
  }

  /** Frees the port on which the process itself will listen. */
  private leave(): void {
    for (const { front } of this.fronts) if (front.port === this.standIn.port) front.leave();
  }

  private async backToContainer(): Promise<void> {
    this.names?.close();
    this.names = undefined;
    this.leads = false;
    for (const { front } of this.fronts) front.leadInstead(undefined);
    this.now = "container";
    await this.host.stop();
    for (const { front } of this.fronts) {
      const isTaken = await front.take().then(
        () => true,
        () => false,
      );
      if (!isTaken) void this.retake(front);
    }
    this.options.emit({ kind: "state", service: this.status });
  }

  /** Waits for the user to end the process that still has the port. */
  private async retake(front: ForwardedPort["front"]): Promise<void> {
    const holder = portHolder(front.port);
    const who = holder === undefined ? "another program" : `process ${holder.pid}`;
    const text = `${this.declared.name}: ${who} still has port ${front.port}; it leads to the container when that ends`;
    this.options.emit({ kind: "notice", text });
    while (this.now === "container" && !this.closing.signal.aborted) {
      await setTimeout(retakeMs, undefined, { ref: false });
      if (this.now !== "container" || this.closing.signal.aborted) return;
      try {
        return await front.take();
      } catch {
        // The port is still taken.
      }
    }
  }
}

function asLocal(declared: DeclaredService, env: Readonly<Record<string, string>>): DeclaredService {
  const { command, cwd, port } = declared.standIn!;
  const { path, timeoutMs } = declared.health;
  // The container's PORT is a different one.
  const own = "PORT" in env ? { ...env, PORT: String(port) } : env;
  return {
    ...declared,
    source: { kind: "local", run: undefined, serve: command, cwd, env: own, isForeign: command === undefined },
    ports: [{ host: port, container: port }],
    health: { ...(path === undefined ? {} : { path }), timeoutMs, host: "localhost" },
    memoryBytes: undefined,
  };
}
