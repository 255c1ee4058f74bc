/** What is kept of runs, and what outlives a record. */
import { durationMs, type Config } from "../../config/index.ts";
import type { HistoryEntry } from "./history.ts";
import type { RunRecord } from "./records.ts";

export const dayMs = 24 * 60 * 60 * 1000;

export interface Retention {
  /** Number of newest runs kept of each target, besides its last success. */
  perTarget: number;
  maxAgeDays: number;
}

export const defaultRetention: Retention = { perTarget: 20, maxAgeDays: 30 };

/** Reads `records` of fastloop.yaml. */
export function retentionOf({ keep, maxAge }: NonNullable<Config["records"]> = {}): Retention {
  return {
    perTarget: keep ?? defaultRetention.perTarget,
    maxAgeDays: maxAge === undefined ? defaultRetention.maxAgeDays : durationMs(maxAge) / dayMs,
  };
}

/** Returns as much of a digest as the history keeps. */
export const shortDigest = (digest: string): string => digest.slice(0, 16);

/** Returns the history's line for a record; it outlives the record. */
export function entryOf(record: RunRecord): HistoryEntry {
  const { id, target, digest, outcome, fresh, startedAt, durationMs, attempts = 1, steps } = record;
  return {
    id,
    target,
    at: Date.parse(startedAt),
    outcome,
    durationMs,
    digest: shortDigest(digest),
    ...(fresh ? {} : { stale: true }),
    ...(attempts === 1 ? {} : { attempts }),
    ...(steps === undefined ? {} : { steps: [steps.total, steps.cached] }),
  };
}

/** Returns the records to delete. `records` are those of targets that share a name in ids, newest first. */
export function expiredRecords(
  records: readonly RunRecord[],
  { perTarget }: Retention,
  oldestMs: number,
): Set<RunRecord> {
  const dropped = new Set<RunRecord>();
  const seen = new Map<string, { count: number; hasPassed: boolean }>();
  for (const record of records) {
    const { count, hasPassed } = seen.get(record.target) ?? { count: 0, hasPassed: false };
    const isLastPassed = !hasPassed && record.outcome === "passed" && record.fresh;
    seen.set(record.target, { count: count + 1, hasPassed: hasPassed || isLastPassed });
    const isKept = isLastPassed || (count < perTarget && Date.parse(record.startedAt) >= oldestMs);
    if (!isKept) dropped.add(record);
  }
  return dropped;
}
