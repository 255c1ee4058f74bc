import { readFileSync } from "node:fs";

/** Settled hints: when to scan is now, and this is where. */
export interface SettledHints {
  /** Absolute paths that were hinted. */
  paths: Set<string>;
  /** Reason to scan everything, because the hints may be incomplete. */
  everywhere:
    | "start"
    | "burst"
    | "git"
    | "timer"
    /** Used instead of `timer` if files were hinted as well. */
    | "hints"
    | "new-folders"
    | "mounted"
    | "source-changed"
    | "confirm"
    | "asked"
    | undefined;
}

/** With more hints in one burst, the kernel's queue (16,384 by default) may have overflowed unnoticed. */
const burstHints = Math.min(2000, Math.floor(maxQueuedEvents() / 4));
/** Window in which that many hints count as a burst, whatever they name. */
const foreignWindowMs = 1000;

/** Hints since the last scan. */
export class PendingHints {
  private pending: SettledHints = { paths: new Set(), everywhere: undefined };
  private count = 0;
  /** Hinted paths that alone are no reason to scan. */
  private foreign = new Set<string>();
  private foreignSinceMs = 0;
  private foreignCount = 0;

  /** Undefined if the hints may not cover everything that was touched. */
  get paths(): ReadonlySet<string> | undefined {
    return this.pending.everywhere === undefined ? this.pending.paths : undefined;
  }

  add(path: string): void {
    this.count++;
    if (this.count <= burstHints) this.pending.paths.add(path);
    else this.requestFullScan("burst");
  }

  /** Adds a path that nothing depends on; returns whether so many come in that other hints may be lost. */
  addForeign(path: string, nowMs: number): boolean {
    if (nowMs - this.foreignSinceMs > foreignWindowMs) {
      this.foreignSinceMs = nowMs;
      this.foreignCount = 0;
    }
    if (++this.foreignCount > burstHints) return true;
    if (this.foreign.size < burstHints) this.foreign.add(path);
    else this.requestFullScan("burst");
    return false;
  }

  requestFullScan(reason: NonNullable<SettledHints["everywhere"]>): void {
    this.pending.everywhere ??= reason;
  }

  /** Returns all hints and starts collecting those of the next scan. */
  take(): SettledHints {
    const hints = this.pending;
    // A scan of the timer alone finds missed changes; with hints the scan would have come anyway.
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
