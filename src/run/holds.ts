import type { PlannedTarget } from "../plan/index.ts";
import type { Clock } from "../watch/index.ts";
import { unstableFrom, type FunctionState } from "./machine/state.ts";

/** A function whose inputs keep changing waits at most this many times its own quiet time. */
const capTimes = 10;

interface Hold {
  digest: string;
  firstMs: number;
  untilMs: number;
  /** Number of attempts in a row that the function's inputs had made stale when the hold was set. */
  overtaken: number;
}

/**
 * Delay after the third attempt in a row that the function's own inputs made stale; it doubles with each further one.
 */
const firstBackoffMs = 500;
const longestBackoffMs = 60_000;

/**
 * Attempts that edits cancelled double the delay at most this often: someone who types waits no longer than two
 * seconds.
 */
const doublingCancels = 2;

/** Number of attempts in a row that a function's own inputs made stale, and how many of those ran to their end. */
export type Overtaken = Pick<FunctionState, "overtaken" | "endedStale">;

/**
 * Returns how long a function waits before its next attempt, in milliseconds; 0 before the third stale one in a row.
 */
export function backoffMs({ overtaken, endedStale }: Overtaken): number {
  if (overtaken < unstableFrom) return 0;
  const doublings = Math.min(overtaken - unstableFrom, Math.max(endedStale - unstableFrom, doublingCancels));
  return Math.min(longestBackoffMs, firstBackoffMs * 2 ** doublings);
}

/**
 * Functions that have to wait before they start, for one of two reasons. A function may declare a quiet time longer
 * than the watch's: its inputs must rest that much longer, and edits to files that it does not read do not prolong the
 * wait. And a function whose own inputs keep changing waits longer after each attempt.
 */
export class Holds {
  private readonly clock: Clock;
  private readonly quietMs: number;
  private readonly holds = new Map<string, Hold>();
  /** Functions that were held and have not been released yet, even if their time has passed. */
  private readonly waiting = new Set<string>();
  private cancelTimer: () => void = () => undefined;

  /** `quietMs` is how long files have already rested when a scan starts. */
  constructor(clock: Clock, quietMs: number) {
    this.clock = clock;
    this.quietMs = quietMs;
  }

  /**
   * Reports whether the function has to wait before it runs on `digest`. `whenReleased` reports the end of the wait.
   */
  isHeld(
    name: string,
    digest: string,
    debounceMs: number | undefined,
    row: Overtaken = { overtaken: 0, endedStale: 0 },
  ): boolean {
    const isHeld = this.mustWait(name, digest, debounceMs, row);
    if (isHeld) this.waiting.add(name);
    else this.waiting.delete(name);
    return isHeld;
  }

  private mustWait(name: string, digest: string, debounceMs: number | undefined, row: Overtaken): boolean {
    const { overtaken } = row;
    const nowMs = this.clock.nowMs();
    const old = this.holds.get(name);
    if (overtaken >= unstableFrom) {
      // Changes during the wait do not prolong it; otherwise a file that never rests would keep the function from
      // running.
      if (old?.overtaken === overtaken) return nowMs < old.untilMs;
      this.holds.set(name, { digest, firstMs: nowMs, untilMs: nowMs + backoffMs(row), overtaken });
      return true;
    }
    if (debounceMs === undefined || debounceMs <= this.quietMs) {
      if (old !== undefined && old.overtaken > 0) this.holds.delete(name);
      return false;
    }
    if (old?.digest === digest) return nowMs < old.untilMs;
    // The first state that is seen is nobody's edit, so it does not have to rest.
    if (old === undefined) {
      this.holds.set(name, { digest, firstMs: nowMs, untilMs: nowMs, overtaken });
      return false;
    }
    const firstMs = nowMs < old.untilMs ? old.firstMs : nowMs;
    const untilMs = Math.min(nowMs + debounceMs - this.quietMs, firstMs + capTimes * debounceMs);
    this.holds.set(name, { digest, firstMs, untilMs, overtaken });
    return nowMs < untilMs;
  }

  /** Calls `action` whenever more functions may start, at once for those whose time has already passed. */
  whenReleased(action: (names: string[]) => void): void {
    this.cancelTimer();
    const nowMs = this.clock.nowMs();
    const untilMs = (name: string): number => this.holds.get(name)?.untilMs ?? nowMs;
    const due = [...this.waiting].filter((name) => untilMs(name) <= nowMs);
    for (const name of due) this.waiting.delete(name);
    if (this.waiting.size > 0) {
      const nextMs = Math.min(...[...this.waiting].map(untilMs));
      this.cancelTimer = this.clock.after(nextMs - nowMs, () => this.whenReleased(action));
    }
    if (due.length > 0) action(due);
  }

  close(): void {
    this.cancelTimer();
  }
}

/**
 * Returns the notice about a function whose own inputs keep making it stale: which file does it, and how to exclude it.
 */
export function unstableText(plan: PlannedTarget, row: Overtaken, files: readonly string[]): string {
  const { name, inputs } = plan.item.target;
  const times = row.overtaken;
  const [first] = files;
  const waits = `it waits longer before each attempt, now ${backoffMs(row) / 1000} s`;
  if (first === undefined)
    return `${name}: its inputs change during each run, ${times} times in a row by now; ${waits}`;
  const more = files.length > 1 ? ` and ${files.length - 1} more` : "";
  const line =
    inputs === undefined
      ? `watch.ignore: [${JSON.stringify(first)}]`
      : `inputs of watch.targets.${name}: ${JSON.stringify(`!${first}`)}`;
  return `${name}: ${first}${more} changes during each run, ${times} times in a row by now; ${waits}. If it does not matter, leave it out: ${line}`;
}
