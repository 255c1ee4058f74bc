import type { PlannedTarget } from "../plan/index.ts";
import type { Clock } from "../watch/index.ts";
import { restlessFrom, type FunctionState } from "./machine/state.ts";

/** A function that asks for a longer quiet time waits for so many of them at most, if its inputs never rest. */
const capTimes = 10;

interface Hold {
  digest: string;
  firstMs: number;
  untilMs: number;
  /** Attempts in a row that the function's inputs made stale, when it was set. */
  overtaken: number;
}

/** After the third attempt in a row that its own inputs made stale a function waits this long, then twice as long each time. */
const firstBackoffMs = 500;
const longestBackoffMs = 60_000;

/** Of attempts that edits cancelled so many double the time: a person who types waits two seconds at most. */
const doublingCancels = 2;

/** A function's attempts in a row that its own inputs made stale, and how many of them came to their end. */
export type Overtaken = Pick<FunctionState, "overtaken" | "endedStale">;

export function backoffMs({ overtaken, endedStale }: Overtaken): number {
  if (overtaken < restlessFrom) return 0;
  const doublings = Math.min(overtaken - restlessFrom, Math.max(endedStale - restlessFrom, doublingCancels));
  return Math.min(longestBackoffMs, firstBackoffMs * 2 ** doublings);
}

/**
 * Functions that have to wait. Quiet times that are longer than that of the whole watch: inputs that moved must be left
 * alone so much longer before the function starts; edits that do not concern it do not prolong its wait. And those whose
 * own inputs never rest: they wait longer after each attempt.
 */
export class Holds {
  private readonly clock: Clock;
  private readonly quietMs: number;
  private readonly holds = new Map<string, Hold>();
  /** Those that were told to wait and not yet that they need no longer, however the time went since. */
  private readonly waiting = new Set<string>();
  private cancelTimer: () => void = () => undefined;

  /** `quietMs` is what files have rested already when a look comes. */
  constructor(clock: Clock, quietMs: number) {
    this.clock = clock;
    this.quietMs = quietMs;
  }

  /** Whether the function has to wait before it runs on `digest`; until `whenReleased` tells that it need not. */
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
    if (overtaken >= restlessFrom) {
      // What moves while it waits does not prolong it: else a file that never rests would keep it from running at all.
      if (old?.overtaken === overtaken) return nowMs < old.untilMs;
      this.holds.set(name, { digest, firstMs: nowMs, untilMs: nowMs + backoffMs(row), overtaken });
      return true;
    }
    if (debounceMs === undefined || debounceMs <= this.quietMs) {
      if (old !== undefined && old.overtaken > 0) this.holds.delete(name);
      return false;
    }
    if (old?.digest === digest) return nowMs < old.untilMs;
    // The first state ever seen is nobody's edit: it need not rest.
    if (old === undefined) {
      this.holds.set(name, { digest, firstMs: nowMs, untilMs: nowMs, overtaken });
      return false;
    }
    const firstMs = nowMs < old.untilMs ? old.firstMs : nowMs;
    const untilMs = Math.min(nowMs + debounceMs - this.quietMs, firstMs + capTimes * debounceMs);
    this.holds.set(name, { digest, firstMs, untilMs, overtaken });
    return nowMs < untilMs;
  }

  /** Calls `action` whenever another function may start, at once for those whose time went by since they were asked for. */
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

/** What is said of a function whose own inputs make it stale again and again: which file does, and how to leave it out. */
export function restlessText(plan: PlannedTarget, row: Overtaken, files: readonly string[]): string {
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
