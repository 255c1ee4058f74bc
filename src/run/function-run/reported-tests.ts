import { failedTests, testCounts, testTimes, type TestCounts } from "../../text/index.ts";
import type { FinishedNotice } from "../events.ts";
import type { HistoryEntry } from "../records/history.ts";

/** Test runners print their totals at the end, so only the end of the output is kept. */
const keptChars = 256 * 1024;

/** The end of a function's output, which holds the totals of its test runners. */
export class OutputTail {
  private pieces: string[] = [];
  private chars = 0;

  add(text: string): void {
    this.pieces.push(text);
    this.chars += text.length;
    if (this.chars <= 2 * keptChars) return;
    const kept = this.text;
    this.pieces = [kept];
    this.chars = kept.length;
  }

  get text(): string {
    return this.pieces.join("").slice(-keptChars);
  }
}

/** Returns the counts and failed tests that a function reports: from its value, else from its output. */
export function reportedTests(
  value: string | undefined,
  output: string,
  error: FinishedNotice["error"],
): Pick<FinishedNotice, "tests" | "failedTests"> {
  const tests = reportedCounts(value ?? "") ?? testCounts(value ?? "") ?? testCounts(output);
  // An engine does not print the output of a cached step again; the error then holds the last lines.
  const failed = error === undefined ? [] : failedTests(output === "" ? (error.detail ?? "") : output);
  return {
    ...(tests === undefined ? {} : { tests }),
    ...(failed.length === 0 ? {} : { failedTests: failed }),
  };
}

/** Returns what the history keeps of tests: counts, failures, and the duration of the slowest ones, if printed. */
export function testsInHistory(
  { tests, failedTests: failed }: Pick<FinishedNotice, "tests" | "failedTests">,
  output: string,
): Pick<HistoryEntry, "tests" | "failedTests" | "slowTests"> {
  const slow = testTimes(output).sort((a, b) => b[1] - a[1]);
  return {
    ...(tests === undefined ? {} : { tests: [tests.passed, tests.failed, tests.skipped] as [number, number, number] }),
    ...(failed === undefined ? {} : { failedTests: failed }),
    ...(slow.length === 0 ? {} : { slowTests: slow.slice(0, 10) }),
  };
}

/** Reads the report of fastloop's own `test`: one line for each suite and tier. */
function reportedCounts(report: string): TestCounts | undefined {
  const lines = [
    ...report.matchAll(
      /^\S+ +(?:smoke|fast|full) +(?:(\d+) failed, )?(\d+) (passed|packages? passed)(?:, (\d+) skipped)?/gm,
    ),
  ];
  if (lines.length === 0) return undefined;
  const counts: TestCounts = { passed: 0, failed: 0, skipped: 0, packages: 0 };
  for (const [, failed = "0", passed, what, skipped = "0"] of lines) {
    counts[what === "passed" ? "passed" : "packages"] += Number(passed);
    counts.failed += Number(failed);
    counts.skipped += Number(skipped);
  }
  return counts;
}
