/** Reads what is on record about functions from before the page was opened. */
import { testsText } from "../../report/index.ts";
import type { FinishedNotice, RunRecord, RunStore, SpanRecorder } from "../../run/index.ts";
import { printable, printableLines } from "../../text/index.ts";
import { endOf } from "../source.ts";
import type { Tone } from "../types.ts";

/** What is known of a function's runs. */
export interface Past {
  cause?: string;
  /** Start of the run in progress. */
  startedMs?: number;
  recorder?: SpanRecorder;
  /** Open steps, in the order in which they began. */
  steps: string[];
  tookMs?: number;
  endedMs?: number;
  failure?: string;
  tests?: string;
  counts?: { total: number; cached: number };
}

/** Limits of recorded output: last lines of each log, and characters of all together. */
const seededLinesOfOne = 500;
const seededCharacters = 8 * 1024 * 1024;

/** Returns the newest recorded run of each function. */
export function seededPast(store: RunStore): Map<string, Past> {
  return new Map(store.newestOfEach().map((record) => [record.target, pastOf(record)]));
}

function pastOf({ startedAt, durationMs, error, steps }: RunRecord): Past {
  const failure =
    error === undefined ? undefined : printableLines(endOf([error.message, error.detail ?? ""].join("\n")));
  return { steps: [], tookMs: durationMs, endedMs: Date.parse(startedAt) + durationMs, failure, counts: steps };
}

/** Returns the last lines of each function's newest recorded run. */
export function seededLines(store: RunStore): { name: string; lines: string[]; atMs: number }[] {
  let characters = 0;
  const newest = store.newestOfEach().sort((a, b) => (a.id < b.id ? 1 : -1));
  const found = newest.flatMap(({ id, target, startedAt, durationMs }) => {
    if (characters > seededCharacters) return [];
    const text = store.logText(id);
    if (text === undefined) return [];
    const lines = text.trimEnd().split("\n").slice(-seededLinesOfOne);
    characters += lines.reduce((sum, line) => sum + line.length, 0);
    return [{ name: target, lines, atMs: Date.parse(startedAt) + durationMs }];
  });
  // Oldest first.
  return found.reverse();
}

export const toneOfOutcome = (outcome: string): Tone =>
  outcome === "passed" || outcome === "current"
    ? "good"
    : outcome === "failed" || outcome === "timed-out"
      ? "bad"
      : "idle";

export function testsOf(notice: FinishedNotice): string | undefined {
  const text = testsText(notice);
  return text === undefined ? undefined : printable(text);
}
