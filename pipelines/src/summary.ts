import { countsText, testCounts } from "../vendor/config.mjs";

/** What a test runner said in the end, in a few words: `9 passed`, `1 failed, 8 passed`; else its last line. */
export function summaryOf(output: string): string {
  const counts = testCounts(output);
  if (counts !== undefined) return countsText(counts);
  return output.replaceAll(colors, "").trimEnd().split("\n").at(-1)?.trim() || "passed";
}

// eslint-disable-next-line no-control-regex
const colors = /\u001B\[[\d;]*m/g;
