import type { FunctionState, LoopEvent, LoopState } from "./state.ts";

/** Functions whose current result became that of a run before the last, without a run: an edit was taken back. */
export function restoredBy(before: LoopState, event: LoopEvent, after: LoopState): FunctionState[] {
  return after.functions.filter((fn) => {
    const old = before.functions.find((other) => other.name === fn.name);
    if (old === undefined || old.phase === "initial") return false;
    if (old.verdict === "current" && old.wanted === fn.wanted) return false;
    const hasPassed = event.kind === "finished" && event.name === fn.name && event.digest === fn.wanted;
    return fn.phase === "idle" && fn.verdict === "current" && !hasPassed;
  });
}
