import type { HistoryEntry } from "../run/index.ts";
import type { CacheLevel } from "./levels.ts";

/** What the next run of everything takes when a level was cleared, as far as the history tells. */
export interface ExpectedCost {
  /** All functions one after another; with several at a time it is less. */
  totalMs: number;
  /** Functions of which no run is on record that had as little in the engine's cache. */
  unknown: string[];
}

/** Of the steps of a run, at most so many out of the cache: then it was one without a cache. */
const coldShare = 0.5;

/** Soft leaves the engine's caches: runs are as they mostly were. From medium on, they are as the coldest were. */
export function expectedCost(
  entries: readonly HistoryEntry[],
  targets: readonly string[],
  level: CacheLevel,
): ExpectedCost {
  const unknown: string[] = [];
  let totalMs = 0;
  for (const target of targets) {
    const passed = entries.filter((entry) => entry.target === target && entry.outcome === "passed");
    const fitting = level === "soft" ? passed : passed.filter(isCold);
    const took = fitting.map(({ durationMs }) => durationMs).sort((a, b) => a - b);
    const middle = took[Math.floor((took.length - 1) / 2)];
    if (middle === undefined) unknown.push(target);
    else totalMs += middle;
  }
  return { totalMs, unknown };
}

function isCold({ steps }: HistoryEntry): boolean {
  const [total, cached] = steps ?? [0, 0];
  return total > 0 && cached / total <= coldShare;
}
