import { countsText, testCounts } from "../vendor/config.mjs";

/** Summarizes a test runner's output as counts (`1 failed, 8 passed`), or returns its last line if it has none. */
export function summaryOf(output: string): string {
  const counts = testCounts(output);
  if (counts !== undefined) return countsText(counts);
  return output.replaceAll(colors, "").trimEnd().split("\n").at(-1)?.trim() || "passed";
}

// eslint-disable-next-line no-control-regex
const colors = /\u001B\[[\d;]*m/g;
