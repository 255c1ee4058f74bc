/** Transitions of each function; the diagram is in machine.ts. */
import { shortage } from "./limits.ts";
import {
  unstableFrom,
  unknownFunction,
  type Effect,
  type FunctionState,
  type LoopEvent,
  type LoopState,
  type Outcome,
  type PlannedFunction,
  type Step,
} from "./state.ts";

/** Applies a new plan. Functions that it does not list are gone. */
export function planFunctions(state: LoopState, functions: readonly PlannedFunction[]): Step {
  const effects: Effect[] = [];
  const before = new Map(state.functions.map((fn) => [fn.name, fn]));
  const asked = forcedWithNeeds(functions);
  const next = functions.map((plan): FunctionState => {
    const old = before.get(plan.name);
    before.delete(plan.name);
    const fn: FunctionState = {
      ...(old ?? unknownFunction(plan.name)),
      needs: plan.needs,
      policy: plan.policy,
      uses: plan.uses,
      reasons: plan.reasons,
      wanted: plan.digest,
      affected: plan.affected,
      held: plan.held ?? false,
    };
    return replan(fn, plan, state.manual && !asked.has(plan.name), effects);
  });
  // The function was removed from the configuration, so its run has no use any more.
  const leaving = [...before.values()].filter((fn) => fn.phase === "running" || fn.phase === "cancelling");
  for (const fn of leaving) {
    if (fn.phase === "running") effects.push({ kind: "cancel", name: fn.name, digest: fn.running ?? "", why: "gone" });
    next.push({ ...fn, phase: "cancelling", wanted: "" });
  }
  return { state: { ...state, functions: next }, effects };
}

/** Returns the functions that are forced by name, and their needs: manual mode does not hold them back. */
function forcedWithNeeds(functions: readonly PlannedFunction[]): Set<string> {
  const asked = new Set<string>();
  // Needs come first in the plan, so walking it backwards meets every dependent before its needs.
  for (const plan of functions.toReversed()) {
    if (!plan.forced && !asked.has(plan.name)) continue;
    for (const name of [plan.name, ...plan.needs]) asked.add(name);
  }
  return asked;
}

function replan(fn: FunctionState, plan: PlannedFunction, manual: boolean, effects: Effect[]): FunctionState {
  if (fn.phase === "running") {
    if (fn.running === plan.digest && !plan.forced) return fn;
    const stale: FunctionState = { ...fn, verdict: "stale" };
    if (plan.policy === "queue" || manual) return stale;
    effects.push({ kind: "cancel", name: fn.name, digest: fn.running ?? "", why: "stale" });
    const overtaken = plan.forced ? fn.overtaken : fn.overtaken + 1;
    if (overtaken > fn.overtaken && overtaken >= unstableFrom)
      effects.push({ kind: "restless", name: fn.name, times: overtaken });
    return { ...stale, phase: "cancelling", overtaken };
  }
  if (fn.phase === "cancelling") return plan.forced ? { ...fn, failed: undefined } : fn;
  if (plan.givenUp === true) return { ...fn, phase: "idle", verdict: "failed", failed: plan.digest };
  if (!plan.affected) return { ...fn, phase: "idle", verdict: "current", failed: undefined, ...rested };
  const failedOnTheSame = (fn.verdict === "failed" || fn.verdict === "cancelled") && fn.failed === plan.digest;
  if (failedOnTheSame && !plan.forced) return { ...fn, phase: "idle" };
  return { ...fn, phase: manual ? "parked" : "queued", verdict: fn.phase === "initial" ? "unknown" : "stale" };
}

function finished(fn: FunctionState, event: Extract<LoopEvent, { kind: "finished" }>, state: LoopState): FunctionState {
  const ended: FunctionState = { ...fn, phase: "idle", running: undefined, blockedBy: undefined };
  const again = state.manual ? "parked" : "queued";
  if (state.stopping)
    return {
      ...ended,
      phase: "stopped",
      verdict: event.outcome === "passed" && event.fresh ? fn.verdict : "cancelled",
    };
  if (event.digest !== fn.wanted) {
    if (fn.wanted === "") return { ...ended, phase: "stopped", verdict: "stale" };
    // The edit that caused the run was undone: a passed result of the current files already exists.
    if (!fn.affected) return { ...ended, verdict: "current", failed: undefined, ...rested };
    const byItself = event.outcome === "cancelled" ? ended : overtakenOnceMore(ended, event.outcome);
    return { ...byItself, phase: again, verdict: "stale" };
  }
  if (event.outcome === "cancelled") {
    const isOver = isHalted(state) || fn.failed === event.digest;
    return { ...ended, phase: isOver ? "idle" : again, verdict: "cancelled" };
  }
  // The run read other files than those hashed. The scan that follows every run decides what has to run next.
  if (!event.fresh) return { ...overtakenOnceMore(ended, event.outcome), phase: "overtaken", verdict: "stale" };
  const wanted = event.learned ?? event.digest;
  if (event.outcome === "passed")
    return { ...ended, wanted, verdict: "current", affected: false, failed: undefined, ...rested };
  return { ...ended, wanted, verdict: "failed", failed: wanted, ...rested };
}

function overtakenOnceMore(fn: FunctionState, outcome: Outcome): FunctionState {
  return { ...fn, overtaken: fn.overtaken + 1, endedStale: fn.endedStale + 1, passedStale: outcome === "passed" };
}

/** Ends the series of attempts that changing files overtook. */
const rested = { overtaken: 0, endedStale: 0 } as const;

/** Handles the end of a run. With fail-fast, its failure cancels the other runs. */
export function endFunction(state: LoopState, event: Extract<LoopEvent, { kind: "finished" }>): Step {
  const functions = state.functions.map((fn) => (fn.name === event.name ? finished(fn, event, state) : fn));
  return withRestless(state, cancelAfterFailure({ ...state, functions }));
}

/** Adds a `restless` effect for each function that this step made stale once too often in a row. */
function withRestless(before: LoopState, { state, effects }: Step): Step {
  const grown = state.functions.filter(
    (fn) =>
      fn.overtaken >= unstableFrom &&
      fn.overtaken > (before.functions.find((old) => old.name === fn.name)?.overtaken ?? 0),
  );
  return {
    state,
    effects: [...effects, ...grown.map((fn): Effect => ({ kind: "restless", name: fn.name, times: fn.overtaken }))],
  };
}

/** Queues what is parked. */
export function unpark(state: LoopState): Step {
  const functions = state.functions.map((fn): FunctionState =>
    fn.phase === "parked" ? { ...fn, phase: "queued" } : fn,
  );
  return { state: { ...state, functions }, effects: [] };
}

/** With fail-fast nothing starts once a function has failed. */
function isHalted(state: LoopState): boolean {
  return state.failFast && state.functions.some((fn) => fn.verdict === "failed");
}

function cancelAfterFailure(state: LoopState): Step {
  const effects: Effect[] = [];
  if (!isHalted(state) || state.stopping) return { state, effects };
  const functions = state.functions.map((fn): FunctionState => {
    if (fn.phase !== "running") return fn;
    effects.push({ kind: "cancel", name: fn.name, digest: fn.running ?? "", why: "fail-fast" });
    return { ...fn, phase: "cancelling", verdict: "cancelled" };
  });
  return { state: { ...state, functions }, effects };
}

/** Cancels a function's run or takes it out of the queue, until its files change or it is requested. */
export function cancelFunction(state: LoopState, name: string): Step {
  const effects: Effect[] = [];
  const functions = state.functions.map((fn): FunctionState => {
    if (fn.name !== name) return fn;
    if (fn.phase === "queued") return { ...fn, phase: "idle", verdict: "cancelled", failed: fn.wanted };
    if (fn.phase !== "running") return fn;
    effects.push({ kind: "cancel", name, digest: fn.running ?? "", why: "asked" });
    return { ...fn, phase: "cancelling", verdict: "cancelled", failed: fn.running };
  });
  return { state: { ...state, functions }, effects };
}

/** Cancels everything that runs; nothing starts any more. */
export function stopFunctions(state: LoopState): Step {
  const effects: Effect[] = [];
  const functions = state.functions.map((fn): FunctionState => {
    if (fn.phase === "cancelling") return fn;
    if (fn.phase !== "running") return { ...fn, phase: "stopped" };
    effects.push({ kind: "cancel", name: fn.name, digest: fn.running ?? "", why: "stop" });
    return { ...fn, phase: "cancelling", verdict: "cancelled" };
  });
  return { state: { ...state, functions, stopping: true }, effects };
}

/** Starts what can start and blocks what cannot. One pass in the plan's order sees every need before its dependents. */
export function advance({ state, effects }: Step): Step {
  const { phase } = state.files;
  if (state.stopping || phase === "unsettled" || phase === "unreadable") return { state: dropStopped(state), effects };
  const seen = new Map<string, FunctionState>();
  const busy = state.functions.filter((fn) => fn.phase === "running" || fn.phase === "cancelling").map((fn) => fn.uses);
  const halted = isHalted(state);
  // A function that does not fit waits at the head of the queue, so that smaller ones behind it cannot starve it.
  let full = false;
  const all = [...effects];
  const functions = state.functions.map((fn): FunctionState => {
    const next = advanceOne(fn);
    seen.set(fn.name, next);
    return next;
  });
  return { state: dropStopped({ ...state, functions }), effects: all };

  function advanceOne(fn: FunctionState): FunctionState {
    // What is blocked stays so until the next plan: only a plan runs the need again.
    const hasEnded = fn.phase === "idle" && (fn.verdict === "current" || fn.verdict === "failed");
    if (fn.phase !== "queued" && !hasEnded) return fn;
    const needs = fn.needs.map((name) => seen.get(name)).filter((need) => need !== undefined);
    const broken = needs.find(
      (need) => need.phase === "idle" && ["failed", "blocked", "cancelled"].includes(need.verdict),
    );
    // A result based on a need's last passed result does not count while that need fails.
    if (hasEnded && broken === undefined) return fn.blockedBy === undefined ? fn : { ...fn, blockedBy: undefined };
    if (broken !== undefined || halted) {
      const need = broken?.name ?? state.functions.find((other) => other.verdict === "failed")?.name ?? "";
      if (fn.blockedBy !== need) all.push({ kind: "blocked", name: fn.name, need });
      return { ...fn, phase: "idle", verdict: "blocked", blockedBy: need };
    }
    if (!needs.every(isThere)) return { ...fn, phase: "queued" };
    if (fn.held || full || busy.length >= state.limits.jobs) return { ...fn, phase: "queued" };
    const shortOf = shortage(state.limits, busy, fn.uses);
    if (shortOf !== undefined) {
      full = true;
      if (fn.shortOf !== shortOf) all.push({ kind: "short", name: fn.name, of: shortOf });
      return { ...fn, phase: "queued", shortOf };
    }
    busy.push(fn.uses);
    all.push({ kind: "start", name: fn.name, digest: fn.wanted, reasons: fn.reasons });
    return { ...fn, phase: "running", running: fn.wanted, failed: undefined, blockedBy: undefined, shortOf: undefined };
  }
}

/**
 * Reports whether dependents may run: the function is up to date, or it is restless, waits, and passed the last time.
 */
function isThere({ phase, verdict, held, overtaken, passedStale }: FunctionState): boolean {
  if (phase === "idle") return verdict === "current";
  return phase === "queued" && held && passedStale && overtaken >= unstableFrom;
}

/** Removes functions that left the configuration and whose run has ended. */
function dropStopped(state: LoopState): LoopState {
  if (state.stopping) return state;
  return { ...state, functions: state.functions.filter((fn) => !(fn.phase === "stopped" && fn.wanted === "")) };
}

/** Returns the functions that became up to date by an earlier run, without a new one: an edit was undone. */
export function restoredBy(before: LoopState, event: LoopEvent, after: LoopState): FunctionState[] {
  return after.functions.filter((fn) => {
    const old = before.functions.find((other) => other.name === fn.name);
    if (old === undefined || old.phase === "initial") return false;
    if (old.verdict === "current" && old.wanted === fn.wanted) return false;
    const hasPassed =
      event.kind === "finished" && event.name === fn.name && (event.learned ?? event.digest) === fn.wanted;
    return fn.phase === "idle" && fn.verdict === "current" && !hasPassed;
  });
}
