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

/** How long a service stays after its last use: the next exec often needs it again. Dagger's figure. */
const graceMs = 10_000;

/** One start of a service: under way, running, or ending. */
interface Life {
  readonly aborter: AbortController;
  readonly running: Promise<RunningService>;
  /** Set once it is healthy. */
  instance: RunningService | undefined;
}

interface Entry {
  readonly service: Service;
  life: Life | undefined;
  /** Solves and services that may use it now. */
  users: number;
  /** Started by name: it stays until it is stopped by name, or the session ends. */
  pinned: boolean;
  idleTimer: NodeJS.Timeout | undefined;
  /** Told when it ends by itself. */
  readonly onExit: Set<(failure: ApiError | undefined) => void>;
  /** The end of the last life: the next one does not begin before. */
  ending: Promise<void>;
  /** Gives its place among the containers that may live at a time back; set while it has one. */
  place: (() => void) | undefined;
}

/**
 * The services of a session, each running at most once, whoever uses it:
 *
 *     idle ──start, or an exec that is bound to it is about to run──▶ starting ──healthy──▶ running ──▶ idle
 *      ▲                                                                 └─ failed: all who wait are told ──┤
 *      └───────────── it ended by itself, was stopped, or nobody used it for `graceMs` ─────────────────────┘
 */
export class Services {
  private readonly session: Session;
  /** Recipe digest -> its state. */
  private readonly entries = new Map<string, Entry>();
  /** Id of an `/etc/hosts` -> what stands in it. */
  private readonly bindings = new Map<string, readonly ServiceBinding[]>();
  private readonly failures = new Map<string, unknown>();

  constructor(session: Session) {
    this.session = session;
  }

  /**
   * Keeps what the execs of a solve are bound to from being stopped; started they are only when one of them runs. `onExit`
   * is told of a user and the service of it that ended by itself meanwhile.
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

  /** Starts a service unless it runs. It stays while it is held, or for the grace. */
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

  /** The running instance; one that is starting is waited for. */
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

  /** Ends a service that only waits for its next use; says whether it is gone. */
  async endIfIdle(service: Service): Promise<boolean> {
    const entry = this.entryOf(service);
    if (entry.users > 0 || entry.pinned) return false;
    await this.end(entry, false);
    await entry.ending;
    return true;
  }

  /**
   * What BuildKit mounts as `/etc/hosts` into an exec that is about to run: waits until the exec may, and starts what it is bound
   * to.
   */
  async hostsOfExec(id: string, signal: AbortSignal): Promise<Buffer | undefined> {
    const { admission } = this.session;
    const needed = admission.isBounded ? this.containersOf(this.bindings.get(id) ?? []) : [];
    // What they are made of runs commands as well, which must not wait for this one.
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

  /** The same for the container of a service or a terminal: it lives, or is let in together with who needs it. */
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
        ({ service }) => !bindings.some((binding) => binding.service === service),
      );
      const hosts = [...bound, ...others];
      return hosts.length === 0 ? undefined : Buffer.from(hostsText(hosts));
    } catch (error) {
      this.failures.set(id, error);
      throw error;
    }
  }

  /** Services that a client started: every container of the session may know their hostnames. */
  private startedByName(): { service: Service; address: string; names: string[] }[] {
    return [...this.entries.values()].flatMap(({ service, life, pinned }) => {
      if (!pinned || life?.instance === undefined || service.kind === "tunnel") return [];
      return [{ service, address: life.instance.address, names: [hostnameOf(service)] }];
    });
  }

  /** Ends what only waits for its next use; says whether any service is on its way out. */
  endIdle(): boolean {
    const entries = [...this.entries.values()];
    for (const entry of entries)
      if (entry.life?.instance !== undefined && entry.users === 0 && !entry.pinned) void this.end(entry, false);
    return entries.some(({ life, place }) => life === undefined && place !== undefined);
  }

  /** The services behind bindings that are containers, with those that they need themselves. */
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

  /** Why an exec with this `/etc/hosts` could not start, if that was because of a service. */
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
    // What it needs itself is held as long as it lives, and lives no longer than that.
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

  /** The service that containers reach by this name, running or not: one that is known. */
  named(hostname: string): Service | undefined {
    return [...this.entries.values()].find(({ service }) => hostnameOf(service) === hostname)?.service;
  }

  /** It is known from now on. */
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
