import { expect, test } from "vitest";
import type { FinishedNotice } from "../../../src/run/events.ts";
import { initialState, unknownFunction, type FunctionState, type Verdict } from "../../../src/run/machine/state.ts";
import { summarize } from "../../../src/run/summary.ts";

const fn = (name: string, verdict: Verdict): FunctionState => ({ ...unknownFunction(name), phase: "idle", verdict });
const ended = (name: string, outcome: FinishedNotice["outcome"]): [string, FinishedNotice] => [
  name,
  {
    kind: "finished",
    name,
    digest: "d",
    outcome,
    fresh: true,
    durationMs: 1,
    steps: { total: 0, cached: 0 },
    attempts: 1,
    logFile: undefined,
  },
];

test("what became current again without a run is that, whatever came of a run meanwhile", () => {
  const functions = [fn("lib", "current"), fn("api", "current"), fn("web", "current"), fn("docs", "failed")];
  const state = { ...initialState({ limits: { jobs: 1, containers: 1, memoryBytes: 1, cpus: 1 } }), functions };
  const results = new Map([
    ended("lib", "stale"),
    ended("api", "failed"),
    ended("web", "passed"),
    ended("docs", "failed"),
  ]);
  const summary = summarize(state, results);
  expect(summary).toMatchObject({ passed: ["web"], current: ["lib", "api"], failed: ["docs"] });
  expect([...summary.results.keys()]).toEqual(["web", "docs"]);
});

test("what is blocked in the end is told as that, whatever became of its own runs before", () => {
  const functions = [fn("lib", "failed"), fn("api", "blocked"), fn("web", "blocked"), fn("docs", "current")];
  const state = { ...initialState({ limits: { jobs: 1, containers: 1, memoryBytes: 1, cpus: 1 } }), functions };
  const results = new Map([ended("lib", "failed"), ended("api", "cancelled"), ended("web", "passed")]);
  expect(summarize(state, results)).toMatchObject({
    passed: [],
    current: ["docs"],
    failed: ["lib"],
    blocked: ["api", "web"],
    cancelled: [],
  });
});
