import { resourcesOf } from "../../../src/plan/index.ts";
import type { LoopEvent, PlannedFunction } from "../../../src/run/machine/state.ts";

/** `lib:1` is affected at digest 1, `lib=1` current at it; `api<lib:1` needs lib; `queue!lib:1` has the policy `queue`. */
export function planOf(text: string): PlannedFunction {
  const [, force, queue, name, needs, state, digest] = /^(force!)?(queue!)?(\w+)(?:<([\w,]+))?([:=])(\w+)$/.exec(text)!;
  return {
    name: name!,
    needs: needs?.split(",") ?? [],
    policy: queue === undefined ? "restart" : "queue",
    digest: digest!,
    affected: state === ":" || force !== undefined,
    reasons: [],
    forced: force !== undefined,
    uses: resourcesOf({ containers: 1 }),
  };
}

export function plan(...texts: string[]): LoopEvent {
  return { kind: "planned", functions: texts.map(planOf) };
}

/** `lib:1 passed`; `moved` when an input changed meanwhile. */
export function finish(text: string): LoopEvent {
  const [, name, digest, outcome, moved] = /^(\w+):(\w+) (passed|failed|cancelled|timed-out)( moved)?$/.exec(text)!;
  return { kind: "finished", name: name!, digest: digest!, outcome: outcome as "passed", fresh: moved === undefined };
}
