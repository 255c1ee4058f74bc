/** `fastloop watch`: keeps the functions up to date while files change. */
import { setFlagsFromString } from "node:v8";
import { Option, type Command } from "commander";
import { aborted } from "../../async/index.ts";
import { desktopNotifier, jsonReporter, openTerminal, plainReporter, type WatchView } from "../../report/index.ts";
import { Loop } from "../../run/index.ts";
import { canAsk } from "../trust/confirm.ts";
import type { CliContext } from "../context.ts";
import { fetchModules } from "../project-module.ts";
import { spansOf } from "../spans.ts";
import { addPageOptions, CommandPage, type PageFlags } from "../page.ts";
import { addLoopOptions, duration, loopOptions, type LoopFlags } from "../loop-options.ts";
import { confirmTrustOfLoop } from "../trust/trust.ts";

interface WatchFlags extends LoopFlags, PageFlags {
  poll?: boolean;
  debounce?: string;
  manual?: boolean;
  bell?: boolean;
  notify?: boolean;
  /** False with `--no-view`. */
  view?: boolean;
}

export function register(program: Command, context: CliContext): void {
  const command = program
    .command("watch [function...]")
    .summary("re-run what each edit affects")
    .description(
      "Run what is not current, then watch: each settled change runs the functions that it affects, in order, and cancels the runs that it made stale. Continues after failures; Ctrl-C stops it and leaves nothing behind.",
    )
    .addOption(new Option("--poll", "poll every second, for file systems without file events"))
    .addOption(new Option("--debounce <duration>", "how long files must stay unchanged (default: 50ms)"))
    .addOption(new Option("--manual", "only mark what edits affect, and run it when a key is pressed"))
    .addOption(new Option("--bell", "ring the terminal's bell when a function fails"))
    .addOption(
      new Option("--notify", "show a desktop notification when a function fails, and when everything passes again"),
    )
    .addOption(new Option("--no-view", "print plain lines, also on a terminal"));
  addPageOptions(addLoopOptions(command))
    .addHelpText(
      "after",
      `
Examples:
  fastloop watch                  every function of watch.targets, or the module's checks
  fastloop watch api              api and what it needs
  fastloop watch --ui             with a web page; the key u opens it, too
  fastloop watch --json           one JSON object per line`,
    )
    .action((names: string[], flags: WatchFlags) => watch(context, names, flags));
}

/** Runs a watch until the user ends it. Throws when it is interrupted by a signal, or when there is no module. */
export async function watch(context: CliContext, names: string[], flags: WatchFlags): Promise<void> {
  const { signal } = context;
  // A broken configuration is waited for, but without a module the folder is most likely the wrong one.
  await fetchModules(context, flags.config);
  keepHeapLean();
  const options = loopOptions(context, flags, "fastloop watch", names);
  let view: WatchView | undefined;
  let isAsked = !canAsk(context);
  const loop = new Loop({
    ...options,
    // Asks only once: later the view owns the terminal, and keys are its commands, not answers.
    confirmTrust: async (missing) => {
      if (isAsked) return false;
      isAsked = true;
      const ask = (): Promise<boolean> => confirmTrustOfLoop(context, options, missing);
      return view === undefined ? await ask() : await view.during(ask);
    },
    manual: flags.manual,
    source: flags.poll === true ? "polling" : undefined,
    quietMs: flags.debounce === undefined ? undefined : duration("--debounce", flags.debounce),
  });
  const spans = await spansOf(context, options.command);
  if (spans !== undefined)
    loop.on((notice) => {
      spans.note(notice);
      if (notice.kind === "settled") void spans.flush();
    });
  const quit = new AbortController();
  const ended = aborted(AbortSignal.any([signal, quit.signal]));
  const page = await CommandPage.ofLoop(context, flags, loop, options.command);
  const openPage = (): void => void page.open(view?.print).catch((error: unknown) => view?.print(String(error)));
  view = await showEvents(context, flags, loop, () => quit.abort(), openPage);
  if (flags.bell === true)
    loop.on(
      (notice) => void (notice.kind === "finished" && notice.outcome === "failed" && context.stderr.write("\u0007")),
    );
  if (flags.notify === true)
    loop.on(desktopNotifier((text) => (view === undefined ? context.notice(text) : view.print(text))));
  try {
    await page.openIfAsked(view?.print);
    await Promise.race([loop.start(), ended]);
    await ended;
    // Saves the page before everything stops.
    await page.close();
    view?.showStopping();
    await loop.stop();
    signal.throwIfAborted();
  } finally {
    await page.close();
    await loop.stop();
    view?.close();
  }
}

/**
 * Keeps V8's young generation at its initial size. A scan of a hundred thousand files, all of which stay in use, lets
 * it grow to 32 MB that the watch then never gives back; collecting it more often costs no measurable time. Called
 * before the first scan, as the young generation does not shrink again.
 */
function keepHeapLean(): void {
  setFlagsFromString("--semi-space-growth-factor=1");
}

/** Opens the view on a terminal; otherwise prints a line or a JSON object for each event. */
async function showEvents(
  context: CliContext,
  flags: WatchFlags,
  loop: Loop,
  quit: () => void,
  openPage: () => void,
): Promise<WatchView | undefined> {
  const { stdout, cwd, options } = context;
  const write = (line: string): void => context.print(`${line}\n`);
  const colors = context.colors("stdout");
  if (options.json) loop.on(jsonReporter(write));
  else if (stdout.isTTY && flags.view !== false && context.env["TERM"] !== "dumb") {
    const input = context.stdin.isTTY ? context.stdin : undefined;
    const view = await openTerminal({
      output: stdout,
      input,
      colors,
      verbose: options.verbose,
      cwd,
      control: loop,
      onQuit: quit,
      onPage: openPage,
    });
    loop.on((notice) => view.note(notice));
    loop.onState((state) => view.setState(state));
    return view;
  } else loop.on(plainReporter({ write, colors, verbose: options.verbose, cwd, clock: () => new Date() }));
  return undefined;
}
