/** `fastloop stats`: statistics of the run history. It is read from this project, and nothing is sent anywhere. */
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Option, type Command } from "commander";
import { firstOf, painter } from "../../report/index.ts";
import { placeProject } from "../../plan/index.ts";
import { History } from "../../run/index.ts";
import {
  compareStatistics,
  csvOf,
  htmlOf,
  momentOf,
  periodBefore,
  periodOf,
  renderComparison,
  renderStatistics,
  statisticsOf,
  type Period,
} from "../../stats/index.ts";
import { UserError } from "../../errors/index.ts";
import type { CliContext } from "../context.ts";
import { configFileOption } from "../loop-options.ts";

interface StatsFlags {
  since: string;
  until?: string;
  compare?: string | true;
  format: "text" | "json" | "csv" | "html";
  output?: string;
  config?: string;
}

export function register(program: Command, context: CliContext): void {
  program
    .command("stats [function...]")
    .summary("show how long functions take, and what caches save")
    .description(
      "Show for each function and tier how often it ran, mean, p50 and p95, what was current or in the engine's cache, time waited and saved, and slow or flaky tests. Reads the history of `run` and `watch` in .fastloop; needs no engine, and sends nothing anywhere.",
    )
    .addOption(new Option("--since <time>", "start of the period: a duration ago, or a date").default("30d"))
    .addOption(new Option("--until <time>", "end of the period (default: now)"))
    .addOption(new Option("--compare [period]", "compare with the previous period, or with FROM..TO"))
    .addOption(new Option("--format <kind>", "output format").choices(["text", "json", "csv", "html"]).default("text"))
    .addOption(new Option("-o, --output <file>", "write to this file"))
    .addOption(configFileOption())
    .addHelpText(
      "after",
      `
Examples:
  fastloop stats                                    the last 30 days
  fastloop stats test --since 7d                    one function, a week
  fastloop stats --since 7d --compare               this week compared with the last one
  fastloop stats --since 2026-11-15 --compare 2026-11-01..2026-11-14
  fastloop stats --format html -o stats.html        a page with charts, for a browser
  fastloop stats --format csv > stats.csv           one line per function`,
    )
    .action((names: string[], flags: StatsFlags) => stats(context, names, flags));
}

function stats(context: CliContext, names: readonly string[], flags: StatsFlags): void {
  const nowMs = Date.now();
  const period: Period = {
    fromMs: momentOf("--since", flags.since, nowMs),
    toMs: flags.until === undefined ? nowMs + 1 : momentOf("--until", flags.until, nowMs),
  };
  if (period.toMs <= period.fromMs)
    throw new UserError("usage", "the period ends before it starts", {
      place: "--until",
      hint: "give an earlier --since",
    });
  const other = otherPeriod(flags, period, nowMs);
  const { state, root } = placeProject({
    cwd: context.cwd,
    configFile: flags.config,
    onNotice: (text) => context.notice(text),
  });
  const all = new History(state).entries(Math.min(period.fromMs, other?.fromMs ?? period.fromMs));
  const entries = names.length === 0 ? all : all.filter(({ target }) => names.includes(target));
  const unknown = names.find((name) => !all.some(({ target }) => target === name));
  if (unknown !== undefined)
    throw new UserError("usage", `no run of "${unknown}" is on record in this period`, {
      hint: all.length === 0 ? "`fastloop run` creates a record" : `there are ${known(all)}`,
    });
  const now = statisticsOf(entries, period);
  const before = other === undefined ? undefined : statisticsOf(entries, other);
  const compared = before === undefined ? undefined : compareStatistics(before, now);
  const format = context.options.json ? "json" : flags.format;
  if (compared !== undefined && (format === "csv" || format === "html"))
    throw new UserError("usage", `${format} shows one period`, { place: "--compare", hint: "use text or json" });
  if (format === "json") return emit(context, flags, `${JSON.stringify({ ...now, before, compared })}\n`);
  if (format === "csv") return emit(context, flags, csvOf(now));
  if (format === "html") return emit(context, flags, htmlOf(path.basename(root), now));
  if (all.length === 0) context.notice("no run is on record in this period: `fastloop run` or `watch` makes one");
  const paint = painter(flags.output === undefined && context.colors("stdout"));
  emit(
    context,
    flags,
    before === undefined || compared === undefined
      ? renderStatistics(now, paint)
      : renderComparison(before, now, compared, paint),
  );
}

function otherPeriod({ compare }: StatsFlags, period: Period, nowMs: number): Period | undefined {
  if (compare === undefined) return undefined;
  return compare === true ? periodBefore(period) : periodOf("--compare", compare, nowMs);
}

function known(entries: readonly { target: string }[]): string {
  const names = [...new Set(entries.map(({ target }) => target))].sort();
  return firstOf(names, 12);
}

function emit(context: CliContext, { output }: StatsFlags, text: string): void {
  if (output === undefined) return context.print(text);
  const file = path.resolve(context.cwd, output);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  context.notice(`written to ${file}`);
}
