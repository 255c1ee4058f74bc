/**
 * Applies an edited description to the running services: replaces those that changed, starts new ones, stops removed
 * ones.
 */
import { isDeepStrictEqual } from "node:util";
import { failureOf } from "../engine/index.ts";
import { UserError } from "../errors/index.ts";
import type { Front } from "./ports/front.ts";
import { openFronts, type WantedPort } from "./ports/ports.ts";
import { withDependents } from "./sources/declared.ts";
import type { Described, MadeService, ServiceSource } from "./sources/source.ts";
import type { DeclaredService, ForwardedPort, UpListener } from "./types.ts";
import type { ServiceUnit } from "./unit/service-unit.ts";

/** New description of the services after an edit of the configuration or the module. */
export interface Redescription {
  /** In dependency order: a service comes after those that it needs. */
  services: readonly DeclaredService[];
  source: Described;
  /** Names of services with an edited file that their `description` does not cover. */
  touched: ReadonlySet<string>;
  /** Edited files, for messages. */
  files: readonly string[];
}

/** State of the supervisor that `redescribe` reads and changes. */
export interface Supervised {
  units: Map<string, ServiceUnit>;
  made: Map<string, MadeService>;
  source: ServiceSource;
  signal: AbortSignal;
  emit: UpListener;
  make(service: DeclaredService, made: ReadonlyMap<string, MadeService>): Promise<MadeService>;
  /** Ports that dependents are bound to; they are never shown to the user. */
  relaysOf(name: string): readonly ForwardedPort[];
  open(declared: DeclaredService, fronts: readonly ForwardedPort[]): ServiceUnit;
  portsOf(service: DeclaredService, made: ReadonlyMap<string, MadeService>): WantedPort[];
}

/**
 * Applies `next` to the running services. Throws, with nothing changed, when a service can't be built from its
 * description or a port can't be had.
 */
export async function redescribe(supervised: Supervised, next: Redescription): Promise<void> {
  const startedAt = performance.now();
  const { units, made, emit } = supervised;
  const { services, files } = next;
  // A host process got the addresses of its needs in its environment when it started, so it restarts when their ports
  // change.
  const moved = services.filter(({ name, ports }) => !isDeepStrictEqual(units.get(name)?.declared.ports, ports));
  const misled = new Set(
    services
      .filter(({ source, needs }) => source.kind === "local" && moved.some(({ name }) => needs.includes(name)))
      .map(({ name }) => name),
  );
  const others = services.filter(
    ({ name, description }) =>
      next.touched.has(name) || misled.has(name) || units.get(name)?.declared.description !== description,
  );
  const affected = withDependents(
    services,
    others.map(({ name }) => name),
  );
  const { makes, portsFor } = await prepare(supervised, next, affected);

  const removed = [...units.keys()].filter((name) => !services.some((service) => service.name === name));
  const held = frontsOf(units);
  for (const name of removed.toReversed()) {
    const unit = units.get(name)!;
    await unit.stop();
    unit.close();
    units.delete(name);
    made.delete(name);
  }
  const added = services.filter(({ name }) => !units.has(name));
  const before = new Map<string, ReturnType<ServiceUnit["describe"]>>();
  const ordered = services.map((declared): [string, ServiceUnit] => {
    const { name } = declared;
    const unit = units.get(name);
    const fronts = portsFor(name);
    if (unit === undefined) return [name, supervised.open(declared, fronts)];
    before.set(name, unit.describe({ declared, fronts }));
    return [name, unit];
  });
  units.clear();
  for (const [name, unit] of ordered) units.set(name, unit);
  for (const { name } of added) units.get(name)!.wait();

  const changed: string[] = [];
  const done = new Map<string, Promise<boolean>>();
  for (const service of affected) done.set(service.name, become(service));
  await Promise.all(done.values());
  const used = frontsOf(units);
  for (const [port, front] of held) if (used.get(port) !== front) front.close();
  emit({
    kind: "described",
    files,
    added: added.map(({ name }) => name),
    changed,
    removed,
    tookMs: Math.round(performance.now() - startedAt),
  });

  /**
   * Starts or replaces one service; resolves with whether services that need it may be replaced by their new version.
   */
  async function become({ name, needs }: DeclaredService): Promise<boolean> {
    const unit = units.get(name)!;
    const make = makes.get(name)!;
    const areNew = await Promise.all(needs.map((need) => done.get(need) ?? Promise.resolve(true)));
    if (supervised.signal.aborted) return false;
    const old = before.get(name);
    const keep = (): false => {
      if (old !== undefined) unit.describe(old);
      return false;
    };
    if (areNew.includes(false) && unit.status.phase === "healthy") return keep();
    const missing = needs.find((need) => units.get(need)?.status.phase !== "healthy");
    if (missing !== undefined && unit.status.phase !== "healthy") {
      made.set(name, make);
      unit.fail(`it needs \`${missing}\`, which is not healthy`);
      return false;
    }
    if (make.id === made.get(name)?.id && unit.status.phase === "healthy" && !misled.has(name)) return true;
    const beganAt = performance.now();
    try {
      await unit.replace(make, supervised.signal);
      made.set(name, make);
      if (old !== undefined) changed.push(name);
      return true;
    } catch (error) {
      const failure = failureOf(error);
      if (supervised.signal.aborted) return false;
      if (!(failure instanceof UserError)) throw failure;
      if (old === undefined) {
        made.set(name, make);
        return false;
      }
      const tookMs = Math.round(performance.now() - beganAt);
      emit({ kind: "edit", name, action: "failed", files, tookMs, reason: failure.format() });
      return keep();
    }
  }
}

const frontsOf = (units: ReadonlyMap<string, ServiceUnit>): Map<number, Front> =>
  new Map([...units.values()].flatMap((unit) => unit.fronts.map(({ front }) => [front.port, front] as const)));

/**
 * Creates the affected services and takes the new ports. Nothing that runs is touched; on failure everything is undone.
 */
async function prepare(
  { units, made, source, make, relaysOf, portsOf }: Supervised,
  next: Redescription,
  affected: readonly DeclaredService[],
): Promise<{ makes: Map<string, MadeService>; portsFor(name: string): ForwardedPort[] }> {
  const before = source.use(next.source);
  try {
    const makes = new Map(made);
    for (const service of affected) makes.set(service.name, await make(service, makes));
    const wanted = next.services.flatMap((service) => portsOf(service, makes));
    const fronts = await openFronts(wanted, frontsOf(units));
    const portsFor = (name: string): ForwardedPort[] => {
      const own = wanted.filter(({ service }) => service === name);
      return [...own.map((port) => ({ ...port, front: fronts.get(port)! })), ...relaysOf(name)];
    };
    return { makes, portsFor };
  } catch (error) {
    source.use(before);
    throw failureOf(error);
  }
}
