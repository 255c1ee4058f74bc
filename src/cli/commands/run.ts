/** `fastloop run`: runs the functions that are affected, or those named, once. */
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Option, type Command } from "commander";
import { durationMs, loadConfig } from "../../config/index.ts";
import { BaselineStore, requireName } from "../../diff/index.ts";
import { ExitCode } from "../../errors/index.ts";
import { placeProject, type CheckKinds } from "../../plan/index.ts";
import {
  duration as showDuration,
  githubReporter,
  jsonReporter,
  junit,
  openRunTerminal,
  painter,
  plainReporter,
  plural,
  type RunView,
} from "../../report/index.ts";
import { allCurrent, askRun, keepAllCurrent, Loop, RunStore, type LoopSummary } from "../../run/index.ts";
import { canAsk } from "../trust/confirm.ts";
import type { CliContext } from "../context.ts";
import { fetchModules } from "../project-module.ts";
import { spansOf } from "../spans.ts";
import { confirmTrustOfLoop } from "../trust/trust.ts";
import { CommandPage, snapshotOption } from "../page.ts";
import { addLoopOptions, loopOptions, stopOnSignal, timeLimit, type LoopFlags } from "../loop-options.ts";

export interface RunFlags extends LoopFlags {
  all?: boolean;
  force?: boolean;
  affected?: boolean;
  since?: string;
  format?: string;
  junit?: string;
  deadline?: string;
  saveBaseline?: string | true;
  uiSnapshot?: string;
}

export function register(program: Command, context: CliContext): void {
  const command = program
    .command("run [function...]")
    .summary("run the functions that edits affect, or the named ones")
    .description(
      "Run the functions of watch.targets (or the module's checks) whose inputs changed since they last passed. With names, run only those and what they need. Current functions are not run again.",
    )
    .addOption(new Option("--force", "also run what is current"))
    .addOption(new Option("--all", "run every function, current or not (as --force without names)"))
    .addOption(new Option("--affected", "run what is not current (the default)"))
    .addOption(new Option("--since <ref>", "only what changes since the merge base with this commit affect"))
    .addOption(new Option("--deadline <duration>", "time limit of the whole run, e.g. 20m"))
    .addOption(new Option("--format <kind>", "output format").choices(["text", "json", "github"]))
    .addOption(new Option("--junit <file>", "write the results as JUnit XML"))
    .addOption(snapshotOption())
    .addOption(new Option("--save-baseline [name]", "if all pass, save the runs for `fastloop diff NAME`"));
  addLoopOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  fastloop run                     what changed since it last passed
  fastloop run api --force         api and what it needs, current or not
  fastloop run --tier smoke        the fast ones
  fastloop run --all --save-baseline main
  fastloop run --since origin/main --format github
  fastloop run --all --ui-snapshot run.html    a page of this run, to share`,
    )
    .action((names: string[], flags: RunFlags) => runOnce(context, names, flags));
}

/** Runs the loop once. With `checks` it runs the module's checks, whatever `watch.targets` says. */
export async function runOnce(
  context: CliContext,
  names: string[],
  flags: RunFlags,
  { checks }: { checks?: CheckKinds } = {},
): Promise<void> {
  const { signal } = context;
  const baseline = flags.saveBaseline === true ? "baseline" : flags.saveBaseline;
  if (baseline !== undefined) requireName(baseline);
  const options = {
    ...loopOptions(context, flags, checks === undefined ? "fastloop run" : "fastloop check", names),
    checks,
  };
  const askedMs = performance.now();
  const spans = await spansOf(context, options.command);
  const asked = spans === undefined && mayTakeOver(context, flags) ? askRun(options) : undefined;
  const known = asked === undefined ? undefined : await allCurrent(asked, options);
  if (known !== undefined) return context.print(summaryLine(context, flags, currentOnly(known), askedMs));
  // Checked before anything is written, as a folder without a module is most likely the wrong one.
  await fetchModules(context, flags.config);
  const view = await openView(context, flags);
  const ask = (missing: Parameters<typeof confirmTrustOfLoop>[2]): Promise<boolean> =>
    confirmTrustOfLoop(context, options, missing);
  const loop = new Loop({
    ...options,
    past: asked?.past,
    writesCaches: true,
    confirmTrust:
      canAsk(context) && flags.format === undefined
        ? (missing) => (view === undefined ? ask(missing) : view.during(() => ask(missing)))
        : undefined,
    selection: { ...options.selection, since: flags.since },
    force: flags.force === true || flags.all === true,
    deadlineMs: flags.deadline === undefined ? undefined : timeLimit("--deadline", flags.deadline),
  });
  stopOnSignal(context, loop);
  loop.on(view === undefined ? reporter(context, flags) : (notice) => view.note(notice));
  if (view !== undefined) loop.onState((state) => view.setState(state));
  if (spans !== undefined) loop.on((notice) => spans.note(notice));
  const startedMs = performance.now();
  let isNoticed = false;
  loop.on(({ kind }) => void (isNoticed ||= kind === "notice"));
  const { uiSnapshot, config } = flags;
  const page = await CommandPage.ofLoop(context, { uiSnapshot, config }, loop, options.command);
  let summary: LoopSummary | undefined;
  try {
    summary = await loop.runAll();
    view?.close();
    signal.throwIfAborted();
    if (flags.junit !== undefined) {
      const file = path.resolve(context.cwd, flags.junit);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, junit(summary, "fastloop"));
    }
    report(context, flags, summary, startedMs);
    process.exitCode = exitCodeOf(summary);
    if (baseline !== undefined) saveBaseline(context, flags, baseline, summary);
    if (flags.tier !== undefined) await warnOverBudget(context, flags, performance.now() - startedMs);
  } finally {
    await page.close();
    await loop.stop();
    view?.close();
    await spans?.flush();
  }
  // A notice has to be printed each time.
  if (asked !== undefined && !isNoticed) await keepAllCurrent(asked, summary, loop.store);
}

/** Whether a run that finds everything current only prints the summary. */
function mayTakeOver({ options }: CliContext, flags: RunFlags): boolean {
  const { force, all, since, format = "text", junit: report, saveBaseline, uiSnapshot } = flags;
  if (options.json || format !== "text" || force === true || all === true) return false;
  return [since, report, saveBaseline, uiSnapshot].every((flag) => flag === undefined);
}

const currentOnly = (current: string[]): LoopSummary => ({
  passed: [],
  current,
  failed: [],
  blocked: [],
  cancelled: [],
  timedOut: [],
  results: new Map(),
});

/** Saves the current result of every function, for later runs to be compared with. */
function saveBaseline(context: CliContext, flags: RunFlags, name: string, summary: LoopSummary): void {
  if (process.exitCode !== ExitCode.passed) return context.notice(`not all passed: ${name} is not saved`);
  const { state } = placeProject({
    cwd: context.cwd,
    configFile: flags.config,
    onNotice: (text) => context.notice(text),
  });
  const functions = [...summary.passed, ...summary.current];
  const saved = new BaselineStore(state).save(name, functions, new RunStore(state));
  context.notice(`saved ${plural(saved, "run")} as ${name}: \`fastloop diff ${name}\` compares with them`);
}

/** Opens the live view, on a capable terminal and with text output only. */
async function openView(context: CliContext, { format = "text" }: RunFlags): Promise<RunView | undefined> {
  const { stdout, options, env, cwd } = context;
  if (!stdout.isTTY || options.json || format !== "text" || env["TERM"] === "dumb") return undefined;
  return openRunTerminal({ output: stdout, colors: context.colors("stdout"), verbose: options.verbose, cwd });
}

/**
 * Warns when a tier took longer than its budget. A budget is for the tier as a whole; only the module enforces it, on
 * request.
 */
async function warnOverBudget(context: CliContext, flags: RunFlags, tookMs: number): Promise<void> {
  const { config } = await loadConfig({ cwd: context.cwd, file: flags.config });
  const budget = config.tests?.tiers?.[flags.tier!]?.budget;
  if (budget === undefined || tookMs <= durationMs(budget)) return;
  context.notice(`the tier ${flags.tier} took ${showDuration(tookMs)}, over its budget of ${budget}`);
}

function reporter(
  context: CliContext,
  flags: RunFlags,
): (notice: Parameters<ReturnType<typeof jsonReporter>>[0]) => void {
  const write = (line: string): void => context.print(`${line}\n`);
  if (context.options.json || flags.format === "json") return jsonReporter(write);
  if (flags.format === "github") return githubReporter(write);
  return plainReporter({ write, colors: context.colors("stdout"), verbose: context.options.verbose, cwd: context.cwd });
}

function report(context: CliContext, flags: RunFlags, summary: LoopSummary, startedMs: number): void {
  const { results: _, ...names } = summary;
  if (context.options.json || flags.format === "json")
    return context.printJson({ event: "summary", ...names, tookMs: Math.round(performance.now() - startedMs) });
  context.print(summaryLine(context, flags, summary, startedMs));
}

function summaryLine(context: CliContext, flags: RunFlags, summary: LoopSummary, startedMs: number): string {
  const { results, ...names } = summary;
  const isEmpty = Object.values(names).every((list) => list.length === 0);
  const paint = painter(context.colors("stdout"));
  const parts = [
    isEmpty && (flags.since === undefined ? "nothing to run" : `nothing is affected since ${flags.since}`),
    summary.failed.length > 0 && paint("red", `${summary.failed.length} failed`),
    summary.timedOut.length > 0 && paint("red", `${summary.timedOut.length} timed out`),
    summary.blocked.length > 0 && paint("yellow", `${summary.blocked.length} blocked`),
    summary.passed.length > 0 && paint("green", `${summary.passed.length} passed`),
    summary.current.length > 0 && `${summary.current.length} current${results.size === 0 ? " (nothing to run)" : ""}`,
  ];
  return `${parts.filter((part) => part !== false).join(", ")} in ${showDuration(performance.now() - startedMs)}\n`;
}

function exitCodeOf(summary: LoopSummary): number {
  if (summary.timedOut.length > 0) return ExitCode.timedOut;
  // Refused functions, and those that wait for them, did not run: the configuration asks for more than the user allows.
  const wasRefused = (name: string): boolean => summary.results.get(name)?.error?.untrusted === true;
  if (summary.failed.length > 0 && summary.failed.every(wasRefused) && summary.cancelled.length === 0)
    return ExitCode.usage;
  return summary.failed.length + summary.blocked.length + summary.cancelled.length > 0
    ? ExitCode.failed
    : ExitCode.passed;
}
