import type { Statistics } from "./summarize.ts";

const columns = [
  "function",
  "tier",
  "runs",
  "passed",
  "failed",
  "cancelled",
  "timed_out",
  "current",
  "retried",
  "mean_ms",
  "p50_ms",
  "p95_ms",
  "hit_rate",
  "step_hit_rate",
  "failure_rate",
  "waited_ms",
  "saved_ms",
  "edit_p50_ms",
  "edit_p95_ms",
  "trend",
];

/** Returns one line per function, as in RFC 4180. */
export function csvOf({ functions }: Statistics): string {
  const rows = functions.map((figures) => [
    figures.name,
    figures.tier,
    figures.runs,
    figures.passed,
    figures.failed,
    figures.cancelled,
    figures.timedOut,
    figures.current,
    figures.retried,
    figures.duration?.meanMs,
    figures.duration?.p50Ms,
    figures.duration?.p95Ms,
    figures.hitRate,
    figures.stepHitRate,
    figures.failureRate,
    figures.waitedMs,
    figures.savedMs,
    figures.editToVerdict?.p50Ms,
    figures.editToVerdict?.p95Ms,
    figures.trend,
  ]);
  return [columns, ...rows].map((row) => `${row.map(field).join(",")}\r\n`).join("");
}

function field(value: string | number | undefined): string {
  if (value === undefined) return "";
  if (typeof value === "number") return String(Math.round(value * 10_000) / 10_000);
  // A leading quote keeps spreadsheets from evaluating the text as a formula.
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
