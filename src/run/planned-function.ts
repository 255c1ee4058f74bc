import type { PlannedTarget } from "../plan/index.ts";
import type { Holds } from "./holds.ts";
import type { FunctionState, PlannedFunction } from "./state.ts";

/** What is asked for whatever its state: everything, or functions by name. */
export type Forced = ReadonlySet<string> | "all" | undefined;

export function isForced(plan: PlannedTarget, forced: Forced): boolean {
  return forced === "all" || forced?.has(plan.item.target.name) === true;
}

export function reasonsOf(plan: PlannedTarget, forced: Forced): PlannedTarget["reasons"] {
  return isForced(plan, forced) && plan.reasons.length === 0 ? [{ kind: "forced" }] : plan.reasons;
}

/** A plan as the state machine takes it. */
export function asPlannedFunction(
  plan: PlannedTarget,
  forced: Forced,
  holds: Holds,
  before: FunctionState | undefined,
  givenUp: boolean,
): PlannedFunction {
  const { target } = plan.item;
  const asked = isForced(plan, forced);
  return {
    name: target.name,
    needs: target.needs,
    policy: target.policy,
    uses: target.uses,
    digest: plan.digest,
    affected: plan.verdict === "affected" || asked,
    reasons: asked ? reasonsOf(plan, forced) : plan.reasons,
    forced: asked,
    held: !asked && holds.isHeld(target.name, plan.digest, target.debounceMs, before),
    givenUp,
  };
}
