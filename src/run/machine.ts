import type { Reason } from "../plan/index.ts";

/**
 * What happens to each function, as a pure reducer: state and event in, state and effects out. Nothing here knows of
 * engines, files or time.
 *
 *                    planned: affected                    needs current, a job free
 *   initial ──────────────────────────────▶ queued ─────────────────────────────────▶ running
 *      │ planned: current                   ▲  ▲  │ planned: current                  │ │  │ │
 *      ▼                planned: affected   │  │  ▼                          finished │ │  │ │ stop
 *    idle ──────────────────────────────────┘  │ idle ◀───────────────────────────────┘ │  │ │
 *   (current, failed, blocked, stale)          │   (policy `queue`: stays, runs again)  │  │ │
 *                                              │                                        ▼  │ ▼
 *                                              └──────── finished ◀──────────────── cancelling ──▶ stopped
 *                                                      still affected     planned: another digest,
 *                                                                         policy `restart`
 *
 * `settling` is the loop's, not a function's: hints came in and nothing is known yet; no function starts meanwhile.
 */
export interface LoopState {
  /** In the order of the plan: a function comes after all that it needs. */
  functions: readonly FunctionState[];
  /** How many may run at a time. */
  jobs: number;
  settling: boolean;
  /** Stop starting others after the first failure. */
  failFast: boolean;
  stopping: boolean;
}

export type Phase = "initial" | "queued" | "running" | "cancelling" | "idle" | "stopped";
/** What is known of the newest files: `current` passed, `failed` did not, `blocked` waits for a need that failed. */
export type Verdict = "unknown" | "current" | "stale" | "failed" | "blocked" | "cancelled";

export interface FunctionState {
  name: string;
  needs: readonly string[];
  policy: "restart" | "queue";
  phase: Phase;
  verdict: Verdict;
  /** Digest of the newest files; what a result must carry to be current. */
  wanted: string;
  /** Whether the newest files need a run; false: a passed result of them is there. */
  affected: boolean;
  /** Digest that the running call was started with. */
  running: string | undefined;
  /** Digest that failed last: it is tried again when it changes, or when asked. */
  failed: string | undefined;
  /** Its own quiet time is not over yet. */
  held: boolean;
  reasons: readonly Reason[];
  /** Which need keeps it from running. */
  blockedBy: string | undefined;
}

export interface PlannedFunction {
  name: string;
  needs: readonly string[];
  policy: "restart" | "queue";
  digest: string;
  affected: boolean;
  reasons: readonly Reason[];
  /** Run even though it failed on the same files before. */
  forced: boolean;
  /** Its own quiet time is not over: it waits for `released`. */
  held?: boolean;
}

export type Outcome = "passed" | "failed" | "cancelled" | "timed-out";

export type LoopEvent =
  | { kind: "hinted" }
  /** The files were looked at: this is what they mean. Functions that are not listed are gone. */
  | {
      kind: "planned";
      functions: readonly PlannedFunction[];
      /** Files moved again meanwhile: what became stale is cancelled, but nothing starts before the next look. */
      unsettled?: boolean;
    }
  /** `fresh`: its inputs stood still, so the result is that of `digest`. */
  | { kind: "finished"; name: string; digest: string; outcome: Outcome; fresh: boolean }
  /** The quiet time of these is over. */
  | { kind: "released"; names: readonly string[] }
  | { kind: "stop" };

export type Effect =
  | { kind: "start"; name: string; digest: string; reasons: readonly Reason[] }
  | { kind: "cancel"; name: string; digest: string; why: "stale" | "gone" | "stop" }
  | { kind: "blocked"; name: string; need: string };

export interface Step {
  state: LoopState;
  effects: Effect[];
}

export function initialState(options: { jobs: number; failFast?: boolean }): LoopState {
  return { functions: [], jobs: Math.max(1, options.jobs), settling: false, failFast: options.failFast ?? false, stopping: false };
}

export function reduce(state: LoopState, event: LoopEvent): Step {
  switch (event.kind) {
    case "hinted":
      return { state: { ...state, settling: true }, effects: [] };
    case "planned":
      return advance(planned(state, event.functions, event.unsettled ?? false));
    case "finished":
      return advance({ state: withFunction(state, event.name, (fn) => finished(fn, event, state.stopping)), effects: [] });
    case "released":
      return advance({
        state: { ...state, functions: state.functions.map((fn) => (event.names.includes(fn.name) ? { ...fn, held: false } : fn)) },
        effects: [],
      });
    case "stop":
      return stop(state);
  }
}

/** Nothing runs, nothing waits to run and nothing is unknown. */
export function isSettled(state: LoopState): boolean {
  return !state.settling && state.functions.every((fn) => fn.phase === "idle" || fn.phase === "stopped");
}

function planned(state: LoopState, functions: readonly PlannedFunction[], settling: boolean): Step {
  const effects: Effect[] = [];
  const before = new Map(state.functions.map((fn) => [fn.name, fn]));
  const next = functions.map((plan): FunctionState => {
    const old = before.get(plan.name);
    before.delete(plan.name);
    const fn: FunctionState = { ...(old ?? blank(plan.name)), needs: plan.needs, policy: plan.policy, reasons: plan.reasons, wanted: plan.digest, affected: plan.affected, held: plan.held ?? false };
    return replan(fn, plan, effects);
  });
  // A function that was taken out of the configuration: its run means nothing any more.
  const leaving = [...before.values()].filter((fn) => fn.phase === "running" || fn.phase === "cancelling");
  for (const fn of leaving) {
    if (fn.phase === "running") effects.push({ kind: "cancel", name: fn.name, digest: fn.running ?? "", why: "gone" });
    next.push({ ...fn, phase: "cancelling", wanted: "" });
  }
  return { state: { ...state, functions: next, settling }, effects };
}

function replan(fn: FunctionState, plan: PlannedFunction, effects: Effect[]): FunctionState {
  if (fn.phase === "running") {
    if (fn.running === plan.digest && !plan.forced) return fn;
    const stale: FunctionState = { ...fn, verdict: "stale" };
    if (plan.policy === "queue") return stale;
    effects.push({ kind: "cancel", name: fn.name, digest: fn.running ?? "", why: "stale" });
    return { ...stale, phase: "cancelling" };
  }
  if (fn.phase === "cancelling") return fn;
  if (!plan.affected) return { ...fn, phase: "idle", verdict: "current", failed: undefined, blockedBy: undefined };
  const failedOnTheSame = fn.verdict === "failed" && fn.failed === plan.digest;
  if (failedOnTheSame && !plan.forced) return { ...fn, phase: "idle" };
  return { ...fn, phase: "queued", verdict: fn.phase === "initial" ? "unknown" : "stale", blockedBy: undefined };
}

function finished(fn: FunctionState, event: Extract<LoopEvent, { kind: "finished" }>, stopping: boolean): FunctionState {
  const ended: FunctionState = { ...fn, phase: "idle", running: undefined, blockedBy: undefined };
  if (stopping) return { ...ended, phase: "stopped", verdict: event.outcome === "passed" && event.fresh ? fn.verdict : "cancelled" };
  if (event.digest !== fn.wanted) {
    if (fn.wanted === "") return { ...ended, phase: "stopped", verdict: "stale" };
    // The edit that started it was taken back: the result of the files as they are is there already.
    return fn.affected ? { ...ended, phase: "queued", verdict: "stale" } : { ...ended, verdict: "current", failed: undefined };
  }
  if (event.outcome === "cancelled") return { ...ended, phase: "queued", verdict: "cancelled" };
  // What it read is not what was hashed: the look that follows every run decides what it has to read.
  if (!event.fresh) return { ...ended, verdict: "stale" };
  if (event.outcome === "passed") return { ...ended, verdict: "current", failed: undefined };
  return { ...ended, verdict: "failed", failed: event.digest };
}

function stop(state: LoopState): Step {
  const effects: Effect[] = [];
  const functions = state.functions.map((fn): FunctionState => {
    if (fn.phase === "cancelling") return fn;
    if (fn.phase !== "running") return { ...fn, phase: "stopped" };
    effects.push({ kind: "cancel", name: fn.name, digest: fn.running ?? "", why: "stop" });
    return { ...fn, phase: "cancelling", verdict: "cancelled" };
  });
  return { state: { ...state, functions, stopping: true }, effects };
}

/** Starts what can start, and blocks what cannot: one pass in the plan's order sees every need before its dependents. */
function advance({ state, effects }: Step): Step {
  if (state.stopping || state.settling) return { state: dropStopped(state), effects };
  const seen = new Map<string, FunctionState>();
  let busy = state.functions.filter((fn) => fn.phase === "running" || fn.phase === "cancelling").length;
  const halted = state.failFast && state.functions.some((fn) => fn.verdict === "failed");
  const all = [...effects];
  const functions = state.functions.map((fn): FunctionState => {
    const next = advanceOne(fn);
    seen.set(fn.name, next);
    return next;
  });
  return { state: dropStopped({ ...state, functions }), effects: all };

  function advanceOne(fn: FunctionState): FunctionState {
    if (fn.phase !== "queued" && !(fn.phase === "idle" && fn.verdict === "blocked")) return fn;
    const needs = fn.needs.map((name) => seen.get(name)).filter((need) => need !== undefined);
    const broken = needs.find((need) => need.phase === "idle" && (need.verdict === "failed" || need.verdict === "blocked"));
    if (broken !== undefined || halted) {
      const need = broken?.name ?? state.functions.find((other) => other.verdict === "failed")?.name ?? "";
      if (fn.blockedBy !== need) all.push({ kind: "blocked", name: fn.name, need });
      return { ...fn, phase: "idle", verdict: "blocked", blockedBy: need };
    }
    if (!needs.every((need) => need.phase === "idle" && need.verdict === "current")) return { ...fn, phase: "queued" };
    if (fn.held || busy >= state.jobs) return { ...fn, phase: "queued" };
    busy++;
    all.push({ kind: "start", name: fn.name, digest: fn.wanted, reasons: fn.reasons });
    return { ...fn, phase: "running", running: fn.wanted, blockedBy: undefined };
  }
}

/** Functions that left the configuration and whose run is gone. */
function dropStopped(state: LoopState): LoopState {
  if (state.stopping) return state;
  return { ...state, functions: state.functions.filter((fn) => !(fn.phase === "stopped" && fn.wanted === "")) };
}

function withFunction(state: LoopState, name: string, change: (fn: FunctionState) => FunctionState): LoopState {
  return { ...state, functions: state.functions.map((fn) => (fn.name === name ? change(fn) : fn)) };
}

function blank(name: string): FunctionState {
  return {
    name,
    needs: [],
    policy: "restart",
    phase: "initial",
    verdict: "unknown",
    wanted: "",
    affected: true,
    running: undefined,
    failed: undefined,
    held: false,
    reasons: [],
    blockedBy: undefined,
  };
}
