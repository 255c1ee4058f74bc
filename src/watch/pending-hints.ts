import { readFileSync } from "node:fs";

/** Hints that have settled: it is time to look, and this is where. */
export interface SettledHints {
  /** Absolute paths that were named. */
  paths: Set<string>;
  /** Look everywhere, and why: the hints cannot be trusted to be complete. */
  everywhere:
    | "start"
    | "burst"
    | "git"
    | "timer"
    /** The timer's, where files were named as well. */
    | "hints"
    | "new-folders"
    | "mounted"
    | "source-changed"
    | "confirm"
    | "asked"
    | undefined;
}

/** More hints than this in one burst, and the kernel's queue (16,384 by default) may have overflowed unseen. */
const burstHints = Math.min(2000, Math.floor(maxQueuedEvents() / 4));
/** So many within this time count as a burst, whatever they name. */
const foreignWindowMs = 1000;

/** What was named since the last look. */
export class PendingHints {
  private pending: SettledHints = { paths: new Set(), everywhere: undefined };
  private count = 0;
  /** Named, but no reason to look. */
  private foreign = new Set<string>();
  private foreignSinceMs = 0;
  private foreignCount = 0;

  /** Undefined where hints can't tell all that was touched. */
  get paths(): ReadonlySet<string> | undefined {
    return this.pending.everywhere === undefined ? this.pending.paths : undefined;
  }

  add(path: string): void {
    this.count++;
    if (this.count <= burstHints) this.pending.paths.add(path);
    else this.lookEverywhere("burst");
  }

  /** A path that concerns nothing; whether these come in such masses that others may be lost. */
  addForeign(path: string, nowMs: number): boolean {
    if (nowMs - this.foreignSinceMs > foreignWindowMs) {
      this.foreignSinceMs = nowMs;
      this.foreignCount = 0;
    }
    if (++this.foreignCount > burstHints) return true;
    if (this.foreign.size < burstHints) this.foreign.add(path);
    else this.lookEverywhere("burst");
    return false;
  }

  lookEverywhere(reason: NonNullable<SettledHints["everywhere"]>): void {
    this.pending.everywhere ??= reason;
  }

  /** All of it; from now on the next look's are collected. */
  take(): SettledHints {
    const hints = this.pending;
    // What the timer alone has found was missed; this look would have come without it.
    if (hints.everywhere === "timer" && hints.paths.size > 0) hints.everywhere = "hints";
    for (const path of this.foreign) hints.paths.add(path);
    this.foreign = new Set();
    this.foreignCount = 0;
    this.pending = { paths: new Set(), everywhere: undefined };
    this.count = 0;
    return hints;
  }
}

function maxQueuedEvents(): number {
  try {
    return Number(readFileSync("/proc/sys/fs/inotify/max_queued_events", "utf8"));
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
