import type { Clock } from "../watch/index.ts";
import { restlessFrom, type FunctionState } from "./state.ts";

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
  private cancelTimer: () => void = () => undefined;

  /** `quietMs` is what files have rested already when a look comes. */
  constructor(clock: Clock, quietMs: number) {
    this.clock = clock;
    this.quietMs = quietMs;
  }

  /** Whether the function has to wait before it runs on `digest`. */
  isHeld(
    name: string,
    digest: string,
    debounceMs: number | undefined,
    row: Overtaken = { overtaken: 0, endedStale: 0 },
  ): boolean {
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

  /** Calls `action` whenever another function may start. */
  whenReleased(action: (names: string[]) => void): void {
    this.cancelTimer();
    const nowMs = this.clock.nowMs();
    const waiting = [...this.holds].filter(([, hold]) => hold.untilMs > nowMs);
    if (waiting.length === 0) return;
    const nextMs = Math.min(...waiting.map(([, hold]) => hold.untilMs));
    this.cancelTimer = this.clock.after(nextMs - nowMs, () => {
      const due = waiting.filter(([, hold]) => hold.untilMs <= this.clock.nowMs());
      action(due.map(([name]) => name));
      this.whenReleased(action);
    });
  }

  close(): void {
    this.cancelTimer();
  }
}
