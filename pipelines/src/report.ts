import type { TierResult } from "./suites.ts";

/** One line for each suite and tier, in columns. */
export function report(results: readonly TierResult[]): string {
  const width = Math.max(0, ...results.map((result) => result.suite.length));
  return results.map(({ suite, tier, summary }) => `${suite.padEnd(width)}  ${tier.padEnd(5)}  ${summary}\n`).join("");
}
