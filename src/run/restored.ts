import type { FunctionState, LoopEvent, LoopState } from "./state.ts";

/** Functions that an event made current though none of their runs just passed: an edit was taken back. */
export function restoredBy(before: LoopState, event: LoopEvent, after: LoopState): FunctionState[] {
  return after.functions.filter((fn) => {
    const old = before.functions.find((other) => other.name === fn.name);
    if (old === undefined || old.phase === "initial" || old.verdict === "current") return false;
    const hasPassed = event.kind === "finished" && event.name === fn.name && event.digest === fn.wanted;
    return fn.phase === "idle" && fn.verdict === "current" && !hasPassed;
  });
}
