import type { HistoryEntry } from "../run/index.ts";
import { spreadOf } from "./numbers.ts";

export interface SlowTest {
  function: string;
  test: string;
  /** Median of its durations. */
  p50Ms: number;
  maxMs: number;
  runs: number;
}

export interface FlakyTest {
  function: string;
  test: string;
  /** Number of runs in which it failed on inputs on which it also passed. */
  failures: number;
  /** Time of the newest of them, in milliseconds since 1970. */
  lastAt: number;
}

const shown = 20;

/** Returns the slowest tests by median duration, slowest first. */
export function slowestTests(entries: readonly HistoryEntry[], most = shown): SlowTest[] {
  const times = new Map<string, { function: string; test: string; ms: number[] }>();
  for (const { target, slowTests = [] } of entries) {
    for (const [test, ms] of slowTests) {
      const key = `${target}\0${test}`;
      const known = times.get(key);
      if (known === undefined) times.set(key, { function: target, test, ms: [ms] });
      else known.ms.push(ms);
    }
  }
  return [...times.values()]
    .map(({ ms, ...test }) => {
      const { p50Ms = 0, maxMs = 0 } = spreadOf(ms) ?? {};
      return { ...test, p50Ms, maxMs, runs: ms.length };
    })
    .sort((a, b) => b.p50Ms - a.p50Ms || a.test.localeCompare(b.test))
    .slice(0, most);
}

/**
 * Returns flaky tests: those that failed on a state on which their function passed, in another run or another attempt.
 */
export function flakyTests(entries: readonly HistoryEntry[], most = shown): FlakyTest[] {
  const passedStates = new Set<string>();
  for (const { target, digest, outcome, stale } of entries)
    if (outcome === "passed" && stale !== true && digest !== "") passedStates.add(`${target}\0${digest}`);
  const found = new Map<string, FlakyTest>();
  for (const entry of entries) {
    const { target, digest, at, stale, failedTests = [], flakyTests: retried = [] } = entry;
    const isContradicted = entry.outcome === "failed" && stale !== true && passedStates.has(`${target}\0${digest}`);
    for (const test of [...retried, ...(isContradicted ? failedTests : [])]) {
      const key = `${target}\0${test}`;
      const known = found.get(key);
      if (known === undefined) found.set(key, { function: target, test, failures: 1, lastAt: at });
      else {
        known.failures++;
        known.lastAt = Math.max(known.lastAt, at);
      }
    }
  }
  return [...found.values()].sort((a, b) => b.failures - a.failures || a.test.localeCompare(b.test)).slice(0, most);
}
