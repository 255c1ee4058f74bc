import type { Clock } from "../watch/index.ts";

/** A function that asks for a longer quiet time waits for so many of them at most, if its inputs never rest. */
const capTimes = 10;

interface Hold {
  digest: string;
  firstMs: number;
  untilMs: number;
}

/**
 * Quiet times of functions that are longer than that of the whole watch: inputs that moved must be left alone so much
 * longer before the function starts. Edits that do not concern it do not prolong its wait.
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
  isHeld(name: string, digest: string, debounceMs: number | undefined): boolean {
    if (debounceMs === undefined || debounceMs <= this.quietMs) return false;
    const nowMs = this.clock.nowMs();
    const old = this.holds.get(name);
    if (old?.digest === digest) return nowMs < old.untilMs;
    // The first state ever seen is nobody's edit: it need not rest.
    if (old === undefined) {
      this.holds.set(name, { digest, firstMs: nowMs, untilMs: nowMs });
      return false;
    }
    const firstMs = nowMs < old.untilMs ? old.firstMs : nowMs;
    const untilMs = Math.min(nowMs + debounceMs - this.quietMs, firstMs + capTimes * debounceMs);
    this.holds.set(name, { digest, firstMs, untilMs });
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
