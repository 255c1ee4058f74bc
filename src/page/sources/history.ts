/** Builds the data of charts from the run history. */
import type { History } from "../../run/index.ts";
import { statisticsOf, type Figures } from "../../stats/index.ts";
import { printable } from "../../text/index.ts";
import { toneOfOutcome } from "./past.ts";
import { historyDays, mostPoints } from "../source.ts";
import type { HistoryFigures, PageHistory } from "../types.ts";

const dayMs = 24 * 60 * 60_000;

/** Returns points, figures and days of the last 30 days. */
export function historyOfRuns(history: History, nowMs: number): PageHistory {
  const fromMs = nowMs - historyDays * dayMs;
  const entries = history.entries(fromMs);
  const { functions, days } = statisticsOf(entries, { fromMs, toMs: nowMs + 1 });
  const runs = entries.filter(({ outcome }) => outcome !== "current" && outcome !== "cancelled");
  return {
    points: runs.slice(-mostPoints).map(({ target, at, durationMs, outcome }) => ({
      node: target,
      atMs: at,
      durationMs,
      outcome,
      tone: toneOfOutcome(outcome),
    })),
    figures: functions.map((each) => figuresOf(each.name, each)),
    days: days.map((each) => ({ ...figuresOf(each.day, each), atMs: Date.parse(`${each.day}T00:00`) })),
  };
}

function figuresOf(name: string, { runs, failed, timedOut, duration, hitRate, stepHitRate }: Figures): HistoryFigures {
  return {
    name: printable(name),
    runs,
    failed: failed + timedOut,
    ...(duration === undefined ? {} : { p50Ms: duration.p50Ms, p95Ms: duration.p95Ms }),
    ...(hitRate === undefined ? {} : { hitRate }),
    ...(stepHitRate === undefined ? {} : { stepHitRate }),
  };
}
