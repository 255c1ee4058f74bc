import { durationMs } from "../vendor/config.mjs";
import type { Config, TierName } from "../vendor/config.mjs";
import type { TierResult } from "./suites.ts";

const defaultBudgets: Record<TierName, string> = { smoke: "30s", fast: "2m", full: "10m" };

/** Returns a report with one line per suite and tier, followed by the tiers that are over budget. */
export function report(results: readonly TierResult[], overruns: readonly string[]): string {
  const width = Math.max(0, ...results.map((result) => result.suite.length));
  const lines = results.map(({ suite, tier, summary }) => `${suite.padEnd(width)}  ${tier.padEnd(5)}  ${summary}`);
  return [...lines, ...overruns, ""].join("\n");
}

/** Returns a message per tier over its budget. Suites of a tier run in parallel, so the slowest one counts. */
export function budgetOverruns(config: Config, results: readonly TierResult[]): string[] {
  return (Object.keys(defaultBudgets) as TierName[]).flatMap((tier) => {
    const budget = config.tests?.tiers?.[tier]?.budget ?? defaultBudgets[tier];
    const tookS = Math.max(0, ...results.filter((result) => result.tier === tier).map((result) => result.tookS));
    return tookS * 1_000 > durationMs(budget) ? [`tier ${tier} took ${tookS} s, its budget is ${budget}`] : [];
  });
}
