import type { Clock } from "../../../src/watch/index.ts";

/** Time that only moves when told to; actions run in the order of their time. */
export class FakeClock implements Clock {
  private now = 0;
  private readonly timers: { atMs: number; action: () => void }[] = [];

  nowMs(): number {
    return this.now;
  }

  after(delayMs: number, action: () => void): () => void {
    const timer = { atMs: this.now + delayMs, action };
    this.timers.push(timer);
    return () => void this.timers.splice(this.timers.indexOf(timer), this.timers.includes(timer) ? 1 : 0);
  }

  advanceTo(timeMs: number): void {
    for (;;) {
      const due = this.timers.filter((timer) => timer.atMs <= timeMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (due === undefined) break;
      this.timers.splice(this.timers.indexOf(due), 1);
      this.now = Math.max(this.now, due.atMs);
      due.action();
    }
    this.now = timeMs;
  }
}
