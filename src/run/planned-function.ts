import { realpathSync } from "node:fs";
import path from "node:path";
import type { PlannedTarget } from "../plan/index.ts";
import type { Holds } from "./holds.ts";
import type { Forced, FunctionState, RequestedScan, LoopEvent, LoopState, PlannedFunction } from "./machine/state.ts";
import type { Planned } from "./planning.ts";
import type { Runs } from "./runs.ts";

function isForced(plan: PlannedTarget, forced: Forced): boolean {
  return forced === "all" || forced?.has(plan.item.target.name) === true;
}

/** Returns the names of the functions to run again. */
export function forcedBy(which: "all" | "failed" | readonly string[], { functions }: LoopState): Forced {
  if (which === "all") return "all";
  const failed = functions.filter((fn) => fn.verdict === "failed" || fn.verdict === "blocked");
  return new Set(which === "failed" ? failed.map((fn) => fn.name) : which);
}

/** Reports whether a function is to run: it is affected, or forced whatever its state. */
export function isWanted(plan: PlannedTarget, forced: Forced): boolean {
  return plan.affected || isForced(plan, forced);
}

export function reasonsOf(plan: PlannedTarget, forced: Forced): PlannedTarget["reasons"] {
  return isForced(plan, forced) && plan.reasons.length === 0 ? [{ kind: "forced" }] : plan.reasons;
}

/** Returns the files that a plan names as its reasons. */
export function filesOf({ reasons }: PlannedTarget): string[] {
  return reasons.flatMap((reason) => (reason.kind === "file" ? [reason.path] : []));
}

/** Returns absolute paths as hints name them: below the real path of the project. */
export function absolutePaths(root: string, paths: readonly string[]): Set<string> {
  const real = realpathSync(root);
  return new Set(paths.map((file) => path.resolve(real, file)));
}

/** Turns the result of a scan into an event for the state machine. */
export function plannedEvent(
  { targets, forced, limits }: Planned,
  { everywhere }: RequestedScan,
  holds: Holds,
  { functions }: LoopState,
  { movingInputs }: Runs,
): Extract<LoopEvent, { kind: "planned" }> {
  return {
    kind: "planned",
    functions: targets.map((plan) => {
      const { name } = plan.item.target;
      const before = functions.find((fn) => fn.name === name);
      return { ...plannedFunction(plan, forced, holds, before), givenUp: movingInputs.hasGivenUp(name) };
    }),
    limits,
    whole: everywhere !== undefined,
  };
}

function plannedFunction(
  plan: PlannedTarget,
  forced: Forced,
  holds: Holds,
  before: FunctionState | undefined,
): PlannedFunction {
  const { name, needs, policy, uses, debounceMs } = plan.item.target;
  const asked = isForced(plan, forced);
  return {
    name,
    needs,
    policy,
    uses,
    digest: plan.digest,
    affected: isWanted(plan, forced),
    reasons: reasonsOf(plan, forced),
    forced: asked,
    held: !asked && holds.isHeld(name, plan.digest, debounceMs, before),
  };
}
