/** Determines the state of a project's functions from what is on disk. */
import type { PlannedTarget } from "../../plan/index.ts";
import { causes } from "../../report/index.ts";
import type { RunRecord, RunStore } from "../../run/index.ts";

export interface TargetState {
  name: string;
  state: "current" | "failed" | "stale" | "refused";
  /** Reason, unless it is current; determined when it is read. */
  readonly why: string;
  /** Median duration of its last runs. */
  expectedMs?: number;
}

/** Returns the state of each function. `failed` means that its newest run failed on the current files. */
export function targetStates(planned: readonly PlannedTarget[], store: Pick<RunStore, "last" | "past">): TargetState[] {
  const due = planned.filter(({ affected }) => affected).map(({ item }) => item.target.name);
  const expectedOf = store.past.expected(due);
  return planned.map((plan): TargetState => {
    const { name } = plan.item.target;
    if (!plan.affected) return { name, state: "current", why: "" };
    const expectedMs = expectedOf.get(name);
    const expected = expectedMs === undefined ? {} : { expectedMs };
    const failed = failureOf(plan, store);
    if (failed !== undefined)
      return { name, state: "failed", why: failed.error?.message ?? failed.outcome, ...expected };
    return {
      name,
      state: plan.item.untrusted.length > 0 ? "refused" : "stale",
      get why() {
        return causes(plan.reasons, 1);
      },
      ...expected,
    };
  });
}

function failureOf({ item, digest, ofState }: PlannedTarget, store: Pick<RunStore, "last">): RunRecord | undefined {
  // Only then can the newest run be of this state, and its record is worth reading.
  const last = ofState === undefined || item.untrusted.length > 0 ? undefined : store.last(item.target.name);
  return last?.digest === digest && last.fresh && last.outcome !== "passed" ? last : undefined;
}
