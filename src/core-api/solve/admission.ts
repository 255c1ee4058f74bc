import type { StatusUpdate } from "../../buildkit/types.ts";

/**
 * An exec that waits to be admitted. `weight` is evaluated again each time, because services that the exec needs may
 * have started meanwhile.
 */
interface Waiting {
  weight(): number;
  letIn(): void;
}

/** A run of an exec, as far as BuildKit has reported it. */
interface Told {
  startedMs: number;
  /** Solves that have not ended and to which BuildKit reported the run. */
  readonly followers: Set<symbol>;
}

/** How long admitted execs may go without any reported as running before they are assumed to have ended. */
const silenceMs = 2_000;
/** How long services that no exec uses may take to become idle before a waiting exec is admitted beside them. */
const patienceMs = 500;
/** Number of ended runs to remember, so that a late status of one is not mistaken for a new run. */
const rememberedRuns = 5_000;

/**
 * Limits how many containers of a session live at a time. BuildKit asks for a secret just before it creates the
 * container of an exec. The answer waits here until there is room:
 *
 *    asked ──▶ waiting ──room, or no other exec runs──▶ admitted ──BuildKit reports its end, or that of its solve──▶ gone
 *
 * BuildKit does not say which exec asks. Admitted execs are therefore counted, and each end that BuildKit reports
 * decrements the count. An exec and the services that have to start for it are admitted as one, so that two execs never
 * wait for each other's services. An exec that needs more than the limit runs when no other exec does and idle services
 * are gone, so that there is always progress.
 */
export class Admission {
  private readonly limit: number;
  private readonly isExec: (digest: string) => boolean;
  /** Ends services that only wait for their next use. Returns whether any service is stopping. */
  private readonly makeRoom: () => boolean;
  private readonly waiting: Waiting[] = [];
  private readonly running = new Map<string, Told>();
  /** Start time of the last ended run, by digest. */
  private readonly endedRuns = new Map<string, number>();
  private letIn = 0;
  /** Execs that were canceled while they waited. BuildKit still reports an end for each of them. */
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

  /** Resolves when an exec may start, together with the services that `starts` counts. Rejects when it is canceled. */
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

  /** Counts a service's container. Call the returned function when the container is gone. */
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

  /** Notes that a service has no users any more. */
  idle(): void {
    if (this.waiting.length > 0) this.next();
  }

  /**
   * Follows the status of one solve. Some time after the solve's end, the runs that only it reported count as ended.
   */
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
        // A canceled exec takes a moment to die, and BuildKit reports its end.
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

  /**
   * Admits waiting execs while there is room, in the order in which they asked, so that small ones cannot starve a
   * large one.
   */
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

  /** When no exec runs, admits the first waiting one as soon as no service makes room for it any more. */
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

  /** An end that is never reported, because its solve was canceled, must not block others forever. */
  private watchSilence(): void {
    // BuildKit reports waiting execs as running too.
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
