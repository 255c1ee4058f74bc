/**
 * Renders the statistics as a self-contained page with inline styles and charts, no script and no external resource.
 */
import { duration } from "../report/index.ts";
import { printable } from "../text/index.ts";
import { bar, escape, lineChart } from "./chart.ts";
import { figureCells, signedPercent } from "./render.ts";
import { dayOf } from "./period.ts";
import type { Figures, Statistics } from "./summarize.ts";

const style = `
:root { color-scheme: light dark; --line: #8884; --p50: #2a7de1; --p95: #d97706; }
body { font: 14px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: right; padding: .25rem .5rem; border-bottom: 1px solid var(--line); font-variant-numeric: tabular-nums; }
th:first-child, td:first-child { text-align: left; }
svg { width: 100%; height: auto; } svg text { font-size: 11px; fill: currentColor; }
.grid { stroke: var(--line); } polyline { fill: none; stroke-width: 2; }
polyline.p50 { stroke: var(--p50); } circle.p50 { fill: var(--p50); }
polyline.p95 { stroke: var(--p95); } circle.p95 { fill: var(--p95); }
.bar { width: 8rem; height: .6rem; } .bar rect { fill: var(--p50); }
.key { display: inline-block; width: .8em; height: .8em; margin: 0 .3em 0 1em; }`;

export function htmlOf(project: string, statistics: Statistics): string {
  const { period, total, functions, days } = statistics;
  const title = `${printable(project)}: ${dayOf(period.fromMs)} to ${dayOf(period.toMs)}`;
  const mostWaited = Math.max(0, ...functions.map(({ waitedMs }) => waitedMs));
  const sections = [
    `<h1>${escape(title)}</h1>`,
    table(headings, [row("all", total)]),
    "<h2>By day</h2>",
    `<p><span class="key" style="background:var(--p50)"></span>p50<span class="key" style="background:var(--p95)"></span>p95</p>`,
    lineChart(
      days.map(({ day }) => day),
      [
        { name: "p50", style: "p50", values: days.map((each) => each.duration?.p50Ms) },
        { name: "p95", style: "p95", values: days.map((each) => each.duration?.p95Ms) },
      ],
    ),
    "<h2>Functions</h2>",
    table(
      [...headings, "trend", "time"],
      functions.map((each) => [
        ...row(each.name, each),
        signedPercent(each.trend),
        raw(bar(each.waitedMs, mostWaited)),
      ]),
    ),
    ...(statistics.tiers.length === 0
      ? []
      : [
          "<h2>Tiers</h2>",
          table(
            headings,
            statistics.tiers.map((each) => row(each.tier, each)),
          ),
        ]),
    ...testsOf(statistics),
  ];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"><title>${escape(title)}</title><style>${style}</style></head>
<body>
${sections.join("\n")}
</body></html>
`;
}

function testsOf({ slowestTests, flakyTests }: Statistics): string[] {
  return [
    ...(slowestTests.length === 0
      ? []
      : [
          "<h2>Slowest tests</h2>",
          table(
            ["test", "function", "p50", "longest", "runs"],
            slowestTests.map((each) => [
              each.test,
              each.function,
              duration(each.p50Ms),
              duration(each.maxMs),
              String(each.runs),
            ]),
          ),
        ]),
    ...(flakyTests.length === 0
      ? []
      : [
          "<h2>Flaky tests</h2>",
          table(
            ["test", "function", "failed and passed", "last"],
            flakyTests.map((each) => [each.test, each.function, String(each.failures), dayOf(each.lastAt)]),
          ),
        ]),
  ];
}

const headings = ["", "runs", "current", "failed", "p50", "p95", "mean", "hits", "steps hit", "waited", "saved"];

type Cell = string | { html: string };
const raw = (html: string): Cell => ({ html });

const row = (name: string, figures: Figures): Cell[] => [...figureCells(name, figures), duration(figures.savedMs)];

function table(heads: readonly string[], rows: readonly Cell[][]): string {
  const cell = (value: Cell): string => `<td>${typeof value === "string" ? escape(printable(value)) : value.html}</td>`;
  return `<table><thead><tr>${heads.map((head) => `<th>${escape(head)}</th>`).join("")}</tr></thead><tbody>${rows
    .map((each) => `<tr>${each.map(cell).join("")}</tr>`)
    .join("")}</tbody></table>`;
}
