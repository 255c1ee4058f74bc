import { describeReason, type PlannedTarget, type Reason } from "../plan/index.ts";
import type { Fingerprint } from "../plan/index.ts";
import type { RunRecord, RunStore } from "./records/records.ts";

/** Why a function would run, or which run makes it up to date. */
export interface Why {
  name: string;
  affected: boolean;
  digest: string;
  reasons: readonly Reason[];
  /** The reasons in words. */
  causes: string[];
  /** The run that the result comes from, or that the causes compare with. */
  lastPassed: RunRecord | undefined;
  /** Whether the function has run and never passed. */
  hasFailedOnly: boolean;
  /** Environment variables appear by name and as set or unset; their keyed hashes stay private. */
  fingerprint: Fingerprint;
}

/** Returns undefined for a target that is not planned, or not yet. */
export function whyOf(plan: PlannedTarget | undefined, store: RunStore): Why | undefined {
  if (plan === undefined) return undefined;
  const { affected, digest, reasons, fingerprint } = plan;
  const { name } = plan.item.target;
  const { lastPassed, last } = store.history(name);
  const wanted = affected ? lastPassed?.digest : digest;
  const record = store.of(name).find((candidate) => candidate.digest === wanted);
  return {
    name,
    affected,
    digest,
    reasons,
    causes: reasons.map(describeReason),
    lastPassed: record,
    hasFailedOnly: record === undefined && last !== undefined,
    fingerprint: withoutValues(fingerprint),
  };
}

function withoutValues(fingerprint: Fingerprint): Fingerprint {
  const environment = Object.fromEntries(
    Object.entries(fingerprint.environment).map(([name, hash]) => [name, hash === "unset" ? "unset" : "set"]),
  );
  return { ...fingerprint, environment };
}
