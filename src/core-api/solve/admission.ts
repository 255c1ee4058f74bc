import type { StatusUpdate } from "../../buildkit/types.ts";

/** What waits to be let in; `weight` is asked anew each time, as services that it needs may run by then. */
interface Waiting {
  weight(): number;
  letIn(): void;
}

/** A run of an exec, as far as BuildKit has told of it. */
interface Told {
  startedMs: number;
  /** The solves that were told of it and have not ended. */
  readonly followers: Set<symbol>;
}

/** How long nothing may be told to run while something counts as let in, before that is taken for ended. */
const silenceMs = 2_000;
/** How long services that no exec uses may take to become idle, before who waits goes on beside them. */
const patienceMs = 500;
/** Ended runs that are remembered, so that a late word of one is not taken for a new run. */
const rememberedRuns = 5_000;

/**
 * Bounds how many containers of a session live at a time. BuildKit asks for a secret when the container of an exec is about to be
 * made; the answer waits here until there is room:
 *
 *     asked ──▶ waiting ──room, or no other exec runs──▶ let in ──BuildKit tells of its end, or that of its solve──▶ gone
 *
 * BuildKit does not say which exec asks, so the ones that were let in are counted, and each end that it tells of takes one off. An
 * exec and the services that have to start for it are let in as one: two execs never wait for each other's services. What takes more
 * than there is runs when no other exec does and idle services are gone, so that somebody always goes on.
 */
export class Admission {
  private readonly limit: number;
  private readonly isExec: (digest: string) => boolean;
  /** Ends services that only wait for their next use; says whether any is on its way out. */
  private readonly makeRoom: () => boolean;
  private readonly waiting: Waiting[] = [];
  private readonly running = new Map<string, Told>();
  /** Digest -> when its last run that has ended began. */
  private readonly endedRuns = new Map<string, number>();
  private letIn = 0;
  /** Those that left while they waited, and whose end is told yet. */
  private left = 0;
  private services = 0;
  private silence: NodeJS.Timeout | undefined;
  private patience: NodeJS.Timeout | undefined;

  constructor(
    limit: number | undefined,
    { isExec, makeRoom }: { isExec: (digest: string) => boolean; makeRoom: () => boolean },
  ) {
    this.limit = limit ?? Number.POSITIVE_INFINITY;
    this.isExec = isExec;
    this.makeRoom = makeRoom;
  }

  get isBounded(): boolean {
    return Number.isFinite(this.limit);
  }

  /** Resolves when an exec may start, with as many services as `starts` takes; rejects when it is no longer wanted. */
  async enter(signal: AbortSignal, starts: { count(): number; take(): void }): Promise<void> {
    if (!this.isBounded) {
      starts.take();
      return;
    }
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const entry: Waiting = {
        weight: () => 1 + starts.count(),
        letIn: () => {
          signal.removeEventListener("abort", leave);
          this.letIn += 1;
          starts.take();
          resolve();
        },
      };
      const leave = (): void => {
        this.waiting.splice(this.waiting.indexOf(entry), 1);
        this.left += 1;
        reject(signal.reason instanceof Error ? signal.reason : new Error("canceled"));
        this.next();
      };
      signal.addEventListener("abort", leave, { once: true });
      this.waiting.push(entry);
      this.next();
    });
  }

  /** A container of a service lives from here on; the result is called once, when it is gone. */
  service(): () => void {
    this.services += 1;
    let isGone = false;
    return () => {
      if (isGone) return;
      isGone = true;
      this.services -= 1;
      this.next();
    };
  }

  /** A service has no user any more. */
  idle(): void {
    if (this.waiting.length > 0) this.next();
  }

  /** Listens to what one solve tells. Some time after its end nothing that it alone told of runs any more. */
  follow(): { update(update: StatusUpdate): void; end(): void } {
    const follower = Symbol("solve");
    return {
      update: ({ vertexes }) => {
        if (!this.isBounded) return;
        for (const vertex of vertexes) if (!vertex.cached && this.isExec(vertex.digest)) this.tell(follower, vertex);
        this.next();
      },
      end: () => {
        const alone = [...this.running].filter(
          ([, { followers }]) => followers.delete(follower) && followers.size === 0,
        );
        // One that was given up still dies, and BuildKit tells of that.
        if (alone.length > 0) setTimeout(() => this.forget(alone), silenceMs).unref();
      },
    };
  }

  private tell(follower: symbol, { digest, startedMs, completedMs }: StatusUpdate["vertexes"][number]): void {
    if (startedMs === undefined || startedMs <= (this.endedRuns.get(digest) ?? Number.NEGATIVE_INFINITY)) return;
    let told = this.running.get(digest);
    if (told === undefined) this.running.set(digest, (told = { startedMs, followers: new Set() }));
    told.followers.add(follower);
    if (completedMs !== undefined) this.end(digest, startedMs);
  }

  private forget(runs: readonly (readonly [string, Told])[]): void {
    for (const [digest, told] of runs)
      if (this.running.get(digest) === told && told.followers.size === 0) this.end(digest, told.startedMs);
    this.next();
  }

  private end(digest: string, startedMs: number): void {
    this.running.delete(digest);
    this.endedRuns.delete(digest);
    this.endedRuns.set(digest, startedMs);
    const [oldest] = this.endedRuns.size > rememberedRuns ? this.endedRuns.keys() : [];
    if (oldest !== undefined) this.endedRuns.delete(oldest);
    if (this.left > 0) this.left -= 1;
    else this.letIn = Math.max(0, this.letIn - 1);
  }

  /** Lets in whom there is room for, in the order in which they asked: smaller ones must not starve a large one. */
  private next(): void {
    for (let [head] = this.waiting; head !== undefined && this.hasRoom(head.weight()); [head] = this.waiting)
      this.letInFirst();
    this.watchPatience();
    this.watchSilence();
  }

  private letInFirst(): void {
    this.waiting.shift()?.letIn();
  }

  private hasRoom(weight: number): boolean {
    return this.letIn + this.services + weight <= this.limit;
  }

  /** Where no exec runs, whoever waits goes on as soon as no service makes room for it any more. */
  private watchPatience(): void {
    const comesRoom = this.waiting.length > 0 && this.makeRoom();
    const isLast = this.waiting.length > 0 && this.letIn === 0;
    if (!isLast || comesRoom) {
      clearTimeout(this.patience);
      this.patience = undefined;
      return;
    }
    if (this.services === 0) {
      this.letInFirst();
      return;
    }
    this.patience ??= setTimeout(() => {
      this.patience = undefined;
      if (this.waiting.length === 0 || this.letIn > 0 || this.makeRoom()) return;
      this.letInFirst();
      this.next();
    }, patienceMs).unref();
  }

  /** An end that was never told, because its solve was given up, must hold nobody up for ever. */
  private watchSilence(): void {
    // What waits has been told to run as well.
    const isStuck = this.waiting.length > 0 && this.running.size <= this.waiting.length;
    if (!isStuck) {
      clearTimeout(this.silence);
      this.silence = undefined;
      return;
    }
    this.silence ??= setTimeout(() => {
      this.silence = undefined;
      this.letIn = 0;
      this.left = 0;
      this.next();
    }, silenceMs).unref();
  }
}
