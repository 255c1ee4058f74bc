import { durationMs, type Config } from "../../config/index.ts";
import type { ResolvedTarget } from "../../plan/index.ts";
import { duration } from "../../report/index.ts";
import type { HistoryEntry } from "../../run/index.ts";
import { spreadOf } from "../../stats/index.ts";
import type { Found } from "../finding.ts";

/** Fewer runs say too little. */
const leastRuns = 3;

/** Reports budgets and time limits that past runs contradict. */
export function historyContradicts(
  config: Config,
  targets: readonly ResolvedTarget[],
  entries: readonly HistoryEntry[],
): Found[] {
  const passed = new Map<string, number[]>();
  for (const { target, outcome, durationMs: took } of entries)
    if (outcome === "passed") passed.set(target, [...(passed.get(target) ?? []), took]);
  const spreads = new Map(
    [...passed].flatMap(([name, took]) => {
      const spread = took.length < leastRuns ? undefined : spreadOf(took);
      return spread === undefined ? [] : [[name, spread] as const];
    }),
  );
  const budgets = Object.entries(config.tests?.tiers ?? {}).flatMap(([tier, { budget }]): Found[] => {
    if (budget === undefined) return [];
    const slow = targets.find(
      ({ target }) => target.tier === tier && (spreads.get(target.name)?.p50Ms ?? 0) > durationMs(budget),
    );
    if (slow === undefined) return [];
    const { name } = slow.target;
    const took = duration(spreads.get(name)!.p50Ms);
    const message = `tests.tiers.${tier}.budget: half of the runs of ${name} take ${took} or more`;
    return [
      {
        code: "budget-exceeded",
        path: ["tests", "tiers", tier, "budget"],
        message,
        hint: `\`fastloop stats ${name}\``,
      },
    ];
  });
  const limits = targets.flatMap(({ target: { name, timeoutMs } }): Found[] => {
    const p95Ms = spreads.get(name)?.p95Ms;
    if (timeoutMs === undefined || p95Ms === undefined || p95Ms <= timeoutMs) return [];
    const message = `watch.targets.${name}.timeout: one run in twenty takes ${duration(p95Ms)} or more`;
    return [
      {
        code: "timeout-too-short",
        path: ["watch", "targets", name, "timeout"],
        message,
        hint: `\`fastloop stats ${name}\``,
      },
    ];
  });
  return [...budgets, ...limits];
}
