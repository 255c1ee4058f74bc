import type { FinishedNotice } from "./events.ts";
import type { LoopState } from "./machine/state.ts";

/** The outcome of a run, by function. */
export interface LoopSummary {
  passed: string[];
  current: string[];
  failed: string[];
  blocked: string[];
  cancelled: string[];
  timedOut: string[];
  results: ReadonlyMap<string, FinishedNotice>;
}

export function summarize(state: LoopState, all: ReadonlyMap<string, FinishedNotice>): LoopSummary {
  // After an edit was undone, a run made meanwhile says nothing about the current files, which had passed before.
  const isRestored = ({ name, verdict }: LoopState["functions"][number]): boolean =>
    verdict === "current" && all.get(name)?.outcome !== "passed";
  const restored = new Set(state.functions.filter(isRestored).map((fn) => fn.name));
  const results = new Map([...all].filter(([name]) => !restored.has(name)));
  // Functions that passed, but whose need failed afterwards, count as blocked.
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
