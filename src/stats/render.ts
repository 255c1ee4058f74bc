/** Renders the statistics for a terminal. */
import { duration, plural, type Paint } from "../report/index.ts";
import { printable } from "../text/index.ts";
import type { Compared } from "./compare.ts";
import { dayOf } from "./period.ts";
import type { Figures, Statistics } from "./summarize.ts";

export const percent = (part: number | undefined): string => (part === undefined ? "" : `${Math.round(part * 100)} %`);
export const signedPercent = (part: number | undefined): string =>
  part === undefined ? "" : `${part > 0 ? "+" : ""}${Math.round(part * 100)} %`;

/** Returns the statistics as aligned text. */
export function renderStatistics(statistics: Statistics, paint: Paint): string {
  const { period, total, functions, tiers, slowestTests, flakyTests } = statistics;
  const saved = total.savedMs > 0 ? `, ${duration(total.savedMs)} saved by what was current` : "";
  const lines = [
    `${dayOf(period.fromMs)} to ${dayOf(period.toMs)}: ${plural(total.runs, "run")}, ${plural(total.current, "answer")} without one, ${duration(total.waitedMs)} waited${saved}`,
  ];
  if (total.editToVerdict !== undefined) {
    const { p50Ms, p95Ms, count } = total.editToVerdict;
    lines.push(`edit to verdict: p50 ${duration(p50Ms)}, p95 ${duration(p95Ms)}, of ${plural(count, "edit")}`);
  }
  if (functions.length > 0)
    lines.push(
      "",
      ...aligned(
        [headings, ...functions.map((each) => [...figureCells(each.name, each), signedPercent(each.trend)])],
        paint,
      ),
    );
  if (tiers.length > 0)
    lines.push(
      "",
      ...aligned(
        [["tier", ...headings.slice(1)], ...tiers.map((each) => [...figureCells(each.tier, each), ""])],
        paint,
      ),
    );
  if (slowestTests.length > 0)
    lines.push(
      "",
      ...aligned(
        [
          ["slowest tests", "p50", "longest", "runs", "function"],
          ...slowestTests
            .slice(0, 10)
            .map((each) => [each.test, duration(each.p50Ms), duration(each.maxMs), String(each.runs), each.function]),
        ],
        paint,
      ),
    );
  if (flakyTests.length > 0)
    lines.push(
      "",
      ...aligned(
        [
          ["flaky tests", "failed", "last", "function"],
          ...flakyTests
            .slice(0, 10)
            .map((each) => [each.test, String(each.failures), dayOf(each.lastAt), each.function]),
        ],
        paint,
      ),
    );
  return `${lines.join("\n")}\n`;
}

/** Renders one line per function: before, now, and the change. */
export function renderComparison(
  before: Statistics,
  now: Statistics,
  compared: readonly Compared[],
  paint: Paint,
): string {
  const span = ({ period }: Statistics): string => `${dayOf(period.fromMs)} to ${dayOf(period.toMs)}`;
  const time = (ms: number | undefined): string => (ms === undefined ? "-" : duration(ms));
  const rows = compared.map((each) => [
    each.name,
    time(each.before?.duration?.p50Ms),
    time(each.now?.duration?.p50Ms),
    signedPercent(each.p50Change),
    time(each.before?.duration?.p95Ms),
    time(each.now?.duration?.p95Ms),
    signedPercent(each.p95Change),
    percent(each.before?.hitRate),
    percent(each.now?.hitRate),
  ]);
  const heads = ["function", "p50 then", "now", "", "p95 then", "now", "", "hits then", "now"];
  return `${[`${span(before)} against ${span(now)}`, "", ...aligned([heads, ...rows], paint)].join("\n")}\n`;
}

const headings = [
  "function",
  "runs",
  "current",
  "failed",
  "p50",
  "p95",
  "mean",
  "hits",
  "steps hit",
  "waited",
  "trend",
];

/** Returns the leading cells that every table of figures has. */
export function figureCells(name: string, figures: Figures): string[] {
  const { duration: took } = figures;
  return [
    name,
    String(figures.runs),
    String(figures.current),
    String(figures.failed + figures.timedOut),
    took === undefined ? "" : duration(took.p50Ms),
    took === undefined ? "" : duration(took.p95Ms),
    took === undefined ? "" : duration(took.meanMs),
    percent(figures.hitRate),
    percent(figures.stepHitRate),
    duration(figures.waitedMs),
  ];
}

/** Aligns columns: the first row is the head, the first column is left-aligned, the others right-aligned. */
function aligned(rows: readonly string[][], paint: Paint): string[] {
  const clean = rows.map((each) => each.map((cell) => printable(cell)));
  const widths = (clean[0] ?? []).map((_cell, column) => Math.max(...clean.map((each) => (each[column] ?? "").length)));
  return clean.map((each, index) => {
    const line = each
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ")
      .trimEnd();
    return index === 0 ? paint("dim", line) : line;
  });
}
