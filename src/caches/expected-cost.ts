import type { HistoryEntry } from "../run/index.ts";
import type { CacheLevel } from "./levels.ts";

/** Estimated duration of the next complete run after a level was cleared, based on the history. */
export interface ExpectedCost {
  /** Sum over all functions; running several at a time takes less. */
  totalMs: number;
  /** Functions without a recorded run that had as little in the engine's cache. */
  unknown: string[];
}

/** A run with at most this share of cached steps counts as one without a cache. */
const coldShare = 0.5;

/** Soft keeps the engine's caches, so all passed runs count. From medium on, only runs without a cache count. */
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
