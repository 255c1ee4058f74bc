/** Determines the state of a project's functions from what is on disk. */
import type { PlannedTarget } from "../../plan/index.ts";
import { causes } from "../../report/index.ts";
import type { RunStore } from "../../run/index.ts";

export interface Standing {
  name: string;
  state: "current" | "failed" | "stale" | "refused";
  /** Reason, unless it is current. */
  why: string;
  /** Median duration of its last runs. */
  expectedMs?: number;
}

/** Returns the state of each function. `failed` means that its newest run failed on the current files. */
export function standingsOf(planned: readonly PlannedTarget[], store: Pick<RunStore, "last" | "past">): Standing[] {
  const isRunDue = planned.some(({ affected }) => affected);
  const expectedOf = isRunDue ? store.past.expected() : new Map<string, number>();
  return planned.map(({ item, digest, affected, reasons }): Standing => {
    const { name } = item.target;
    if (!affected) return { name, state: "current", why: "" };
    const expectedMs = expectedOf.get(name);
    const expected = expectedMs === undefined ? {} : { expectedMs };
    if (item.untrusted.length > 0) return { name, state: "refused", why: causes(reasons, 1), ...expected };
    const last = store.last(name);
    if (last !== undefined && last.digest === digest && last.fresh && last.outcome !== "passed")
      return { name, state: "failed", why: last.error?.message ?? last.outcome, ...expected };
    return { name, state: "stale", why: causes(reasons, 1), ...expected };
  });
}
