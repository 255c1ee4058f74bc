import { failedTests, testCounts, testTimes, type TestCounts } from "../../text/index.ts";
import type { FinishedNotice } from "../events.ts";
import type { HistoryEntry } from "../records/history.ts";

/** A runner says at its end what came of its tests; more than that is not kept. */
const keptChars = 256 * 1024;

/** The end of what a function prints, for what its test runners say. */
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

/** The counts and the failed tests that a function told: in what it returned, or else in what was printed. */
export function toldTests(
  value: string | undefined,
  output: string,
  error: FinishedNotice["error"],
): Pick<FinishedNotice, "tests" | "failedTests"> {
  const tests = reportedCounts(value ?? "") ?? testCounts(value ?? "") ?? testCounts(output);
  // What an engine has in its cache it doesn't print again: then the error holds the last lines.
  const failed = error === undefined ? [] : failedTests(output === "" ? (error.detail ?? "") : output);
  return {
    ...(tests === undefined ? {} : { tests }),
    ...(failed.length === 0 ? {} : { failedTests: failed }),
  };
}

/** What the history of runs keeps of tests: counts, failures, and how long the slowest took where that is printed. */
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

/** The report of fastloop's own `test`: a line for each suite and tier. */
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
