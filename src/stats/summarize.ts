/** Computes statistics of a period from the run history, without side effects. */
import type { TierName } from "../config/index.ts";
import type { HistoryEntry } from "../run/index.ts";
import { share, spreadOf, type Spread } from "./numbers.ts";
import { dayOf, type Period } from "./period.ts";
import { flakyTests, slowestTests, type FlakyTest, type SlowTest } from "./tests.ts";

/** Figures of a function, a tier, a day, or everything. */
export interface Figures {
  runs: number;
  passed: number;
  failed: number;
  cancelled: number;
  timedOut: number;
  /** Requests that were current, so that no run was needed. */
  current: number;
  /** Runs that needed more than one attempt to pass. */
  retried: number;
  /** Durations of completed runs; undefined when there are none. */
  duration?: Spread;
  /** Share of answers that needed no run. */
  hitRate?: number;
  /** Share of steps that came from the engine's cache. */
  stepHitRate?: number;
  failureRate?: number;
  waitedMs: number;
  savedMs: number;
  /** Time from a save to its verdict, in watches. */
  editToVerdict?: Spread;
}

export interface FunctionFigures extends Figures {
  name: string;
  tier?: TierName;
  /** Median duration of the newer half of its runs compared with the older half: 0.2 is a fifth slower. */
  trend?: number;
}

export interface Statistics {
  period: Period;
  total: Figures;
  functions: FunctionFigures[];
  tiers: (Figures & { tier: TierName })[];
  days: (Figures & { day: string })[];
  slowestTests: SlowTest[];
  flakyTests: FlakyTest[];
}

/** Fewest passed runs from which a trend is computed, half of them for each side. */
const leastForTrend = 6;
const tierOrder: readonly TierName[] = ["smoke", "fast", "full"];

/** Returns the statistics of the entries within a period. Functions with the longest total wait come first. */
export function statisticsOf(entries: readonly HistoryEntry[], period: Period): Statistics {
  const inPeriod = entries.filter(({ at }) => at >= period.fromMs && at < period.toMs);
  const byName = grouped(inPeriod, ({ target }) => target);
  const functions = [...byName]
    .map(([name, own]): FunctionFigures => {
      const tier = own.findLast((entry) => entry.tier !== undefined)?.tier;
      const trend = trendOf(own);
      return {
        name,
        ...(tier === undefined ? {} : { tier }),
        ...figuresOf(own),
        ...(trend === undefined ? {} : { trend }),
      };
    })
    .sort((a, b) => b.waitedMs - a.waitedMs || a.name.localeCompare(b.name));
  const tierOf = new Map(functions.map(({ name, tier }) => [name, tier]));
  const byTier = grouped(inPeriod, ({ tier, target }) => tier ?? tierOf.get(target));
  return {
    period,
    total: figuresOf(inPeriod),
    functions,
    tiers: tierOrder.flatMap((tier) => {
      const own = byTier.get(tier);
      return own === undefined ? [] : [{ tier, ...figuresOf(own) }];
    }),
    days: [...grouped(inPeriod, ({ at }) => dayOf(at))]
      .map(([day, own]) => ({ day, ...figuresOf(own) }))
      .sort((a, b) => (a.day < b.day ? -1 : 1)),
    slowestTests: slowestTests(inPeriod),
    flakyTests: flakyTests(inPeriod),
  };
}

/** In one pass: a long history has thousands of groups. */
function figuresOf(entries: readonly HistoryEntry[]): Figures {
  const figures = {
    runs: 0,
    passed: 0,
    failed: 0,
    cancelled: 0,
    timedOut: 0,
    current: 0,
    retried: 0,
    waitedMs: 0,
    savedMs: 0,
  };
  const durations: number[] = [];
  const editTimes: number[] = [];
  let [steps, cachedSteps] = [0, 0];
  for (const entry of entries) {
    const { outcome, durationMs } = entry;
    if (outcome === "current") {
      figures.current += entry.count ?? 1;
      figures.savedMs += durationMs;
      continue;
    }
    figures.runs++;
    figures.waitedMs += durationMs;
    if (entry.attempts !== undefined && entry.attempts > 1) figures.retried++;
    if (entry.steps !== undefined) {
      steps += entry.steps[0];
      cachedSteps += entry.steps[1];
    }
    if (outcome === "passed") figures.passed++;
    else if (outcome === "failed") figures.failed++;
    else if (outcome === "timed-out") figures.timedOut++;
    else if (outcome === "cancelled") figures.cancelled++;
    if (outcome === "cancelled") continue;
    durations.push(durationMs);
    if (entry.editMs !== undefined) editTimes.push(entry.editMs);
  }
  const { current, failed, timedOut } = figures;
  const optional = {
    duration: spreadOf(durations),
    hitRate: share(current, current + durations.length),
    stepHitRate: share(cachedSteps, steps),
    failureRate: share(failed + timedOut, durations.length),
    editToVerdict: spreadOf(editTimes),
  };
  return { ...figures, ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)) };
}

/** Returns undefined when there are too few runs. */
function trendOf(entries: readonly HistoryEntry[]): number | undefined {
  const passed = entries.filter(({ outcome }) => outcome === "passed").map(({ durationMs }) => durationMs);
  if (passed.length < leastForTrend) return undefined;
  const half = Math.floor(passed.length / 2);
  const before = spreadOf(passed.slice(0, half))?.p50Ms ?? 0;
  const now = spreadOf(passed.slice(-half))?.p50Ms ?? 0;
  return before === 0 ? undefined : now / before - 1;
}

function grouped<K>(entries: readonly HistoryEntry[], keyOf: (entry: HistoryEntry) => K): Map<K, HistoryEntry[]> {
  const groups = new Map<K, HistoryEntry[]>();
  for (const entry of entries) {
    const key = keyOf(entry);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [entry]);
    else group.push(entry);
  }
  return groups;
}
