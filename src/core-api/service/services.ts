import { isHostsSecretId, hostsSecretId } from "../solve/compile-exec.ts";
import { ApiError } from "../values/errors.ts";
import { recipeDigest } from "../values/ids.ts";
import { hostnameOf } from "./names.ts";
import { boundExit, evaluateParts, hostsText, needsOf } from "./needs.ts";
import type { RunningService } from "./running.ts";
import { startService } from "./start.ts";
import { newCall } from "../request/call.ts";
import type { Session } from "../session.ts";
import type { Exec, Service, ServiceBinding } from "../values/values.ts";

/** How long a service stays after its last use, because the next exec often needs it again. Same as Dagger's. */
const graceMs = 10_000;

/** One run of a service, from its start to its end. */
interface Life {
  readonly aborter: AbortController;
  readonly running: Promise<RunningService>;
  /** Set once the service is healthy. */
  instance: RunningService | undefined;
}

interface Entry {
  readonly service: Service;
  life: Life | undefined;
  /** Number of solves and services that may use it now. */
  users: number;
  /** Started explicitly: it stays until it is stopped explicitly or the session ends. */
  pinned: boolean;
  idleTimer: NodeJS.Timeout | undefined;
  /** Listeners to call when the service ends by itself. */
  readonly onExit: Set<(failure: ApiError | undefined) => void>;
  /** Resolves when the last run has ended; the next one does not start before. */
  ending: Promise<void>;
  /** Releases its place among the containers that may live at a time. Set while it has one. */
  place: (() => void) | undefined;
}

/**
 * Services of a session. Each runs at most once, however many users it has:
 *
 *    idle ──start, or an exec that is bound to it is about to run──▶ starting ──healthy──▶ running ──▶ idle
 *     ▲                                                                 └─ failed: all waiters get the error ──┤
 *     └───────────── it ended by itself, was stopped, or nobody used it for `graceMs` ─────────────────────────┘
 */
export class Services {
  private readonly session: Session;
  /** State by recipe digest. */
  private readonly entries = new Map<string, Entry>();
  /** Bindings by the id of the `/etc/hosts` that lists them. */
  private readonly bindings = new Map<string, readonly ServiceBinding[]>();
  private readonly failures = new Map<string, unknown>();

  constructor(session: Session) {
    this.session = session;
  }

  /**
   * Keeps the services of a solve's execs from being stopped; they start only when one of the execs runs. `onExit` is
   * called when a service of a user ends by itself meanwhile. Returns a function that ends the hold.
   */
  hold<User extends Pick<Exec, "services">>(
    users: Iterable<User>,
    onExit?: (user: User, error: ApiError) => void,
  ): () => void {
    const entries = new Set<Entry>();
    const unlisten: (() => void)[] = [];
    for (const user of users) {
      const { services } = user;
      if (services.length === 0) continue;
      const id = hostsSecretId(services);
      this.bindings.set(id, services);
      this.failures.delete(id);
      for (const binding of services) {
        const entry = this.entryOf(binding.service);
        entries.add(entry);
        const listener = (failure: ApiError | undefined): void => onExit?.(user, boundExit(binding, failure));
        entry.onExit.add(listener);
        unlisten.push(() => entry.onExit.delete(listener));
      }
    }
    for (const entry of entries) this.use(entry);
    return () => {
      for (const stop of unlisten) stop();
      for (const entry of entries) this.leave(entry);
    };
  }

  /** Starts a service unless it runs. It then stays while it is held, or for the grace period. */
  async start(service: Service): Promise<RunningService> {
    const entry = this.entryOf(service);
    entry.life ??= this.begin(entry);
    this.use(entry);
    try {
      return await entry.life.running;
    } finally {
      this.leave(entry);
    }
  }

  /** Starts a service that stays until it is stopped or the session ends. */
  async startToStay(service: Service): Promise<RunningService> {
    const running = await this.start(service);
    const entry = this.entryOf(service);
    entry.pinned = true;
    clearTimeout(entry.idleTimer);
    return running;
  }

  /** Resolves to the running instance, waiting for one that is starting. Throws when the service is not running. */
  async running(service: Service): Promise<RunningService> {
    const life = this.entries.get(recipeDigest(service))?.life;
    if (life === undefined) throw new ApiError(`service ${hostnameOf(service)} is not running`);
    return await life.running;
  }

  async stop(service: Service, kill: boolean): Promise<void> {
    const entry = this.entries.get(recipeDigest(service));
    if (entry === undefined) return;
    entry.pinned = false;
    await this.end(entry, kill);
  }

  /** Ends a service that only waits for its next use. Returns whether it is gone. */
  async endIfIdle(service: Service): Promise<boolean> {
    const entry = this.entryOf(service);
    if (entry.users > 0 || entry.pinned) return false;
    await this.end(entry, false);
    await entry.ending;
    return true;
  }

  /**
   * Returns the `/etc/hosts` for an exec that is about to run. First waits until the exec is admitted and its services
   * have started.
   */
  async hostsOfExec(id: string, signal: AbortSignal): Promise<Buffer | undefined> {
    const { admission } = this.session;
    const needed = admission.isBounded ? this.containersOf(this.bindings.get(id) ?? []) : [];
    // Building the services' trees runs commands too, which must not wait for this exec.
    await Promise.allSettled(
      needed.flatMap((entry) => (entry.life === undefined ? [evaluateParts(this.session, entry.service, signal)] : [])),
    );
    await admission.enter(signal, {
      count: () => needed.filter(({ place }) => place === undefined).length,
      take: () => {
        for (const entry of needed) entry.place ??= admission.service();
      },
    });
    try {
      return await this.hostsFile(id);
    } finally {
      for (const entry of needed) if (entry.life === undefined) giveBack(entry);
    }
  }

  /** Same for a service's or terminal's container, which is admitted already, or with the exec that needs it. */
  async hostsFile(id: string): Promise<Buffer | undefined> {
    const bindings = this.bindings.get(id) ?? [];
    try {
      const bound = await Promise.all(
        bindings.map(async ({ alias, service }) => {
          const { address } = await this.start(service);
          return { address, names: [...new Set([alias, hostnameOf(service)])] };
        }),
      );
      const others = this.startedByName().filter(
        ({ service }) => !bindings.some((binding) => this.entryOf(binding.service).service === service),
      );
      const hosts = [...bound, ...others];
      return hosts.length === 0 ? undefined : Buffer.from(hostsText(hosts));
    } catch (error) {
      this.failures.set(id, error);
      throw error;
    }
  }

  /** Services that a client started explicitly. Every container of the session gets their hostnames. */
  private startedByName(): { service: Service; address: string; names: string[] }[] {
    return [...this.entries.values()].flatMap(({ service, life, pinned }) => {
      if (!pinned || life?.instance === undefined || service.kind === "tunnel") return [];
      return [{ service, address: life.instance.address, names: [hostnameOf(service)] }];
    });
  }

  /** Ends services that only wait for their next use. Returns whether any service is stopping. */
  endIdle(): boolean {
    const entries = [...this.entries.values()];
    for (const entry of entries)
      if (entry.life?.instance !== undefined && entry.users === 0 && !entry.pinned) void this.end(entry, false);
    return entries.some(({ life, place }) => life === undefined && place !== undefined);
  }

  /** Returns the containers behind bindings, including those of the services that they need themselves. */
  private containersOf(bindings: readonly ServiceBinding[]): Entry[] {
    const found = new Set<Entry>();
    const look = ({ service }: ServiceBinding): void => {
      const entry = this.entryOf(service);
      if (found.has(entry)) return;
      found.add(entry);
      needsOf(service).forEach(look);
    };
    bindings.forEach(look);
    return [...found].filter(({ service }) => service.kind !== "tunnel");
  }

  /** Returns the error of the service that kept an exec with this `/etc/hosts` from starting, if any. */
  failureOf(id: string): unknown {
    return isHostsSecretId(id) ? this.failures.get(id) : undefined;
  }

  async close(): Promise<void> {
    await Promise.all([...this.entries.values()].map((entry) => this.end(entry, false)));
  }

  private begin(entry: Entry): Life {
    const aborter = new AbortController();
    const { service } = entry;
    if (service.kind !== "tunnel") entry.place ??= this.session.admission.service();
    const call = newCall(this.session, { signal: aborter.signal, isBody: false });
    // Hold the services that this one needs while it lives. When one of them ends, this one is stopped too.
    let lost: ApiError | undefined;
    const release = this.hold([{ services: needsOf(service) }], (_user, error) => {
      lost = error;
      if (service.kind === "container") void life.instance?.stop(true);
    });
    const running = entry.ending.then(() => startService(call, service));
    const life: Life = { aborter, running, instance: undefined };
    const { place } = entry;
    const over = (): void => {
      release();
      place?.();
      if (entry.place === place) entry.place = undefined;
      if (entry.life === life) entry.life = undefined;
    };
    running.then((instance) => {
      life.instance = instance;
      void instance.ended.then((failure) => {
        const byItself = entry.life === life;
        over();
        if (byItself) for (const tell of entry.onExit) tell(failure ?? lost);
      });
    }, over);
    return life;
  }

  private async end(entry: Entry, kill: boolean): Promise<void> {
    clearTimeout(entry.idleTimer);
    const { life } = entry;
    if (life === undefined) return;
    entry.life = undefined;
    life.aborter.abort(new Error("the service was stopped"));
    entry.ending = life.running.then((running) => running.stop(kill)).catch(() => undefined);
    await entry.ending;
  }

  private use(entry: Entry): void {
    entry.users += 1;
    clearTimeout(entry.idleTimer);
  }

  private leave(entry: Entry): void {
    entry.users -= 1;
    if (entry.users > 0 || entry.pinned || entry.life === undefined) return;
    clearTimeout(entry.idleTimer);
    const idleMs = Number(this.session.options.env["FASTLOOP_SERVICE_GRACE_MS"] ?? graceMs);
    entry.idleTimer = setTimeout(() => void this.end(entry, false), idleMs).unref();
    this.session.admission.idle();
  }

  /** Returns the known service with this hostname, whether it runs or not. */
  named(hostname: string): Service | undefined {
    return [...this.entries.values()].find(({ service }) => hostnameOf(service) === hostname)?.service;
  }

  /** Returns the state of a service, and registers the service if it is new. */
  entryOf(service: Service): Entry {
    const digest = recipeDigest(service);
    let entry = this.entries.get(digest);
    if (entry === undefined) {
      entry = {
        service,
        life: undefined,
        users: 0,
        pinned: false,
        idleTimer: undefined,
        onExit: new Set(),
        ending: Promise.resolve(),
        place: undefined,
      };
      this.entries.set(digest, entry);
    }
    return entry;
  }
}

function giveBack(entry: Entry): void {
  entry.place?.();
  entry.place = undefined;
}
