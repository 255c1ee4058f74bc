import { failureOf, fileReadAgain, type EngineSession } from "../engine/index.ts";
import { UserError } from "../errors/index.ts";
import { withDependents } from "./sources/declared.ts";
import type { Update } from "./live/updates.ts";
import { eventsTo } from "./unit/engine-events.ts";
import { openFronts, wantedPorts, type WantedPort } from "./ports/ports.ts";
import { Relays } from "./ports/relays.ts";
import { redescribe, type Redescription } from "./redescribe.ts";
import type { MadeService, ServiceSource } from "./sources/source.ts";
import type { DeclaredService, LastEdit, ForwardedPort, Place, ServiceStatus, UpListener } from "./types.ts";
import { LocalUnit } from "./unit/local-unit.ts";
import type { ServiceUnit } from "./unit/service-unit.ts";
import { SwitchUnit } from "./unit/switch-unit.ts";
import { Unit } from "./unit/unit.ts";

export interface SupervisorOptions {
  /** In dependency order: a service comes after those that it needs. */
  services: readonly DeclaredService[];
  session: EngineSession;
  source: ServiceSource;
  root: string;
  env: NodeJS.ProcessEnv;
  portOffset: number;
  logFile(name: string): string;
  emit: UpListener;
}

/** Runs all services of a project that is up. */
export class Supervisor {
  private readonly options: SupervisorOptions;
  private readonly units = new Map<string, ServiceUnit>();
  private readonly made = new Map<string, MadeService>();
  private readonly relays: Relays;
  private readonly closing = new AbortController();
  private unsubscribe = (): void => undefined;
  private turn: Promise<unknown> = Promise.resolve();
  private isSettled = false;
  private services: readonly DeclaredService[];

  private readonly lastEdits = new Map<string, LastEdit>();

  constructor(options: SupervisorOptions) {
    const emit: UpListener = (event) => {
      if (event.kind === "edit") {
        const { name, action, tookMs } = event;
        this.lastEdits.set(name, { action, tookMs, at: new Date().toISOString() });
      }
      options.emit(event);
    };
    this.options = { ...options, emit };
    this.services = options.services;
    this.relays = new Relays(options.session);
  }

  get settled(): boolean {
    return this.isSettled;
  }

  get statuses(): ServiceStatus[] {
    return [...this.units.values()].map(({ status }) => {
      const lastEdit = this.lastEdits.get(status.name);
      return lastEdit === undefined ? status : { ...status, lastEdit };
    });
  }

  get isHealthy(): boolean {
    return this.isSettled && this.statuses.every(({ phase }) => phase === "healthy");
  }

  /** Creates all services and takes their ports, so that an error is thrown before anything is built. */
  async prepare(): Promise<void> {
    const { services } = this;
    for (const service of services) this.made.set(service.name, await this.make(service, this.made));
    const wanted = services.flatMap((service) => this.portsOf(service, this.made));
    const fronts = await openFronts(wanted);
    for (const declared of services) {
      const own = wanted.filter(({ service }) => service === declared.name);
      const led = own.map((port) => ({ ...port, front: fronts.get(port)! }));
      this.units.set(declared.name, this.open(declared, [...led, ...this.relays.of(declared.name)]));
    }
    const { emit, session } = this.options;
    this.unsubscribe = session.onEvent(eventsTo(() => [...this.units.values()], emit));
  }

  private open(declared: DeclaredService, fronts: readonly ForwardedPort[]): ServiceUnit {
    const needed = ({ needs }: DeclaredService): ServiceStatus[] =>
      needs.flatMap((need) => this.units.get(need)?.status ?? []);
    const options = { ...this.options, declared, fronts, needed, logFile: this.options.logFile(declared.name) };
    if (declared.source.kind === "local") return new LocalUnit(options);
    return declared.standIn === undefined ? new Unit(options) : new SwitchUnit(options);
  }

  private async make(service: DeclaredService, made: ReadonlyMap<string, MadeService>): Promise<MadeService> {
    const { signal } = this.closing;
    return this.relays.bind(service, await this.options.source.make(service, made, signal), signal);
  }

  /**
   * Moves services between their container and a process on the host. An undefined `place` moves each to the place
   * where it is not; no names means every service that can be moved. A service that fails to move is reported and stays
   * where it is.
   */
  switchTo(place: Place | undefined, names: readonly string[]): Promise<void> {
    return this.inTurn(async () => {
      for (const [name, unit] of this.units) {
        if (!(unit instanceof SwitchUnit) || (names.length > 0 && !names.includes(name))) continue;
        const wanted = place ?? (unit.place === "local" ? "container" : "local");
        try {
          // The project's files may have changed since the container was last created.
          if (wanted === "container") this.made.set(name, await this.make(unit.declared, this.made));
          await unit.switchTo(wanted, this.made.get(name)!, this.closing.signal);
        } catch (error) {
          const failure = failureOf(error);
          if (this.closing.signal.aborted) return;
          if (!(failure instanceof UserError)) throw failure;
          this.options.emit({ kind: "notice", text: `${name}: stays where it is: ${failure.format()}` });
        }
      }
    });
  }

  /** Resolves when every service is healthy or failed. */
  start(): Promise<void> {
    return this.inTurn(() => this.startNow());
  }

  private async startNow(): Promise<void> {
    const startedAt = performance.now();
    const { services } = this;
    const { emit } = this.options;
    for (const { name } of services) this.unit(name).wait();
    await this.startAll(services);
    if (this.closing.signal.aborted) return;
    this.isSettled = true;
    emit({ kind: "settled", healthy: this.isHealthy, tookMs: Math.round(performance.now() - startedAt) });
  }

  /**
   * Stops the named services and their dependents (no names: all services), then starts them again. Throws for an
   * unknown name.
   */
  restart(names: readonly string[]): Promise<void> {
    const { services } = this;
    for (const name of names) this.unit(name);
    const affected = withDependents(services, names.length > 0 ? names : services.map(({ name }) => name));
    return this.inTurn(async () => {
      for (const { name } of affected.toReversed()) await this.unit(name).stop();
      for (const { name } of affected) this.unit(name).wait();
      await this.startAll(affected);
    });
  }

  /** Applies a new description to what runs. Throws, with nothing changed, when that is not possible. */
  redescribe(next: Redescription): Promise<void> {
    return this.inTurn(async () => {
      const { units, made, options, closing } = this;
      await redescribe(
        {
          units,
          made,
          source: options.source,
          signal: closing.signal,
          emit: options.emit,
          make: (service, all) => this.make(service, all),
          relaysOf: (name) => this.relays.of(name),
          open: (declared, fronts) => this.open(declared, fronts),
          portsOf: (service, all) => this.portsOf(service, all),
        },
        next,
      );
      this.services = next.services;
    });
  }

  /** Queues an edit for a service, after the edits that came before it. */
  update(name: string, update: Update): void {
    void this.inTurn(() => this.updateNow(name, update)).catch((error: unknown) => {
      if (!this.closing.signal.aborted) throw error;
    });
  }

  private async updateNow(name: string, update: Update): Promise<void> {
    const { signal } = this.closing;
    const unit = this.units.get(name);
    if (unit instanceof SwitchUnit && unit.place === "local") return;
    // The service may have been removed from the description while the update was queued.
    if (signal.aborted || unit === undefined || unit.status.phase === "stopped") return;
    const startedAt = performance.now();
    if (update.action !== "rebuild" && (await unit.edit(update, signal)) === "done") return;
    const { services } = this;
    const { emit } = this.options;
    const { files } = update;
    const tookMs = (): number => Math.round(performance.now() - startedAt);
    try {
      await this.remakeAll(withDependents(services, [name]));
      emit({ kind: "edit", name, action: "rebuilt", files, tookMs: tookMs() });
    } catch (error) {
      const failure = failureOf(error);
      if (signal.aborted) return;
      if (!(failure instanceof UserError)) throw failure;
      emit({ kind: "edit", name, action: "failed", files, tookMs: tookMs(), reason: failure.format() });
    }
  }

  private async remakeAll(services: readonly DeclaredService[]): Promise<void> {
    try {
      for (const service of services) await this.remake(service);
    } catch (error) {
      if (fileReadAgain(error) === undefined) throw error;
      this.options.source.forgetTrees();
      for (const service of services) await this.remake(service);
    }
  }

  /** Creates the service again and replaces the running one, unless it is healthy and the result is the same. */
  private async remake(service: DeclaredService): Promise<void> {
    const { signal } = this.closing;
    const before = this.made.get(service.name);
    const made = await this.make(service, this.made);
    if (made.id === before?.id && this.unit(service.name).status.phase === "healthy") return;
    await this.unit(service.name).replace(made, signal);
    this.made.set(service.name, made);
  }

  /** Stops all services, dependents before what they need. */
  async stop(): Promise<void> {
    this.closing.abort(new UserError("interrupted", "the services are stopped"));
    for (const { name } of this.services.toReversed()) await this.units.get(name)?.stop();
  }

  close(): void {
    this.closing.abort(new UserError("interrupted", "the services are stopped"));
    this.unsubscribe();
    for (const unit of this.units.values()) {
      for (const { front } of unit.fronts) front.close();
      unit.close();
    }
    this.relays.close();
  }

  /** Returns the engine's id of a service, for a terminal. Throws when it is a host process or does not run. */
  serviceId(name: string): string {
    const { declared, status } = this.unit(name);
    if (declared.source.kind === "local" || status.place === "local")
      throw new UserError("usage", `\`${name}\` is a process of this machine, not a container`);
    const { phase } = status;
    if (phase !== "healthy" && phase !== "unhealthy")
      throw new UserError("usage", `service \`${name}\` is ${phase}`, { hint: "read its output with `fastloop logs`" });
    return this.made.get(name)!.id;
  }

  private portsOf(service: DeclaredService, made: ReadonlyMap<string, MadeService>): WantedPort[] {
    return wantedPorts(service, made.get(service.name)!.ports, this.options.portOffset);
  }

  private async startAll(services: readonly DeclaredService[]): Promise<void> {
    const starts = new Map<string, Promise<void>>();
    for (const service of services) starts.set(service.name, this.startOne(service, starts));
    await Promise.all(starts.values());
  }

  private async startOne(service: DeclaredService, starts: ReadonlyMap<string, Promise<void>>): Promise<void> {
    const { name, needs } = service;
    // The image builds while the service waits for its needs; `start` reports a build error.
    const made = this.made.get(name)!;
    const unit = this.unit(name);
    const isLocal = unit instanceof SwitchUnit && unit.place === "local";
    const isBuilt =
      needs.length === 0 || isLocal
        ? undefined
        : this.options.source.build(service, made, this.closing.signal).catch(() => undefined);
    await Promise.all(needs.flatMap((need) => starts.get(need) ?? []));
    if (this.closing.signal.aborted) return;
    const missing = needs.find((need) => !isThere(this.unit(need)));
    if (missing !== undefined) return unit.fail(`it needs \`${missing}\`, which is not healthy`);
    await unit.start(made, this.closing.signal, isBuilt);
  }

  /** Runs one change of the services at a time. */
  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.turn.then(work);
    this.turn = done.catch(() => undefined);
    return done;
  }

  private unit(name: string): ServiceUnit {
    const unit = this.units.get(name);
    if (unit !== undefined) return unit;
    throw new UserError("usage", `no service \`${name}\` is up`, {
      place: name,
      hint: `up: ${[...this.units.keys()].join(", ")}`,
    });
  }
}

const isThere = (unit: ServiceUnit): boolean =>
  unit instanceof SwitchUnit ? unit.isThere : unit.status.phase === "healthy";
