import type { FinishedNotice } from "./events.ts";
import type { LoopState } from "./machine/state.ts";

/** What a run came to, per function. */
export interface LoopSummary {
  passed: string[];
  current: string[];
  failed: string[];
  blocked: string[];
  cancelled: string[];
  timedOut: string[];
  results: ReadonlyMap<string, FinishedNotice>;
}

export function summarize(state: LoopState, results: ReadonlyMap<string, FinishedNotice>): LoopSummary {
  // What passed, but needs what failed after that.
  const blocked = state.functions.filter((fn) => fn.verdict === "blocked").map((fn) => fn.name);
  const ended = (outcome: string): string[] =>
    [...results.values()]
      .filter((result) => result.outcome === outcome && !blocked.includes(result.name))
      .map((result) => result.name);
  const notRun = (verdict: string): string[] =>
    state.functions.filter((fn) => fn.verdict === verdict && !results.has(fn.name)).map((fn) => fn.name);
  return {
    passed: ended("passed"),
    current: notRun("current"),
    failed: ended("failed"),
    blocked,
    cancelled: ended("cancelled"),
    timedOut: ended("timed-out"),
    results,
  };
}
