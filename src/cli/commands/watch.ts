/** `fastloop watch`: keeps the functions true while files change. */
import { Option, type Command } from "commander";
import { jsonReporter, plainReporter } from "../../report/index.ts";
import { findModule } from "../../module/index.ts";
import { Loop } from "../../run/index.ts";
import type { CliContext } from "../context.ts";
import { addLoopOptions, duration, loopOptions, type LoopFlags } from "../loop-options.ts";

interface WatchFlags extends LoopFlags {
  poll?: boolean;
  debounce?: string;
  bell?: boolean;
}

export function register(program: Command, context: CliContext): void {
  const command = program
    .command("watch [function...]")
    .summary("re-run what each edit affects")
    .description(
      "Run what is not current, then watch: each settled change runs the functions that it affects, in order, and\ncancels the runs that it made stale. A failure does not end it; Ctrl-C does, and leaves nothing behind.",
    )
    .addOption(new Option("--poll", "look every second, for file systems without file events"))
    .addOption(new Option("--debounce <duration>", "how long files must rest (default: 50ms)"))
    .addOption(new Option("--bell", "ring the terminal's bell when a function fails"));
  addLoopOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  fastloop watch                  every function of watch.targets, or the module's checks
  fastloop watch api              api and what it needs
  fastloop watch --json           one JSON object a line`,
    )
    .action((names: string[], flags: WatchFlags) => watch(context, names, flags));
}

export async function watch(context: CliContext, names: string[], flags: WatchFlags): Promise<void> {
  const { signal } = context;
  // What is broken is waited for; a folder without a module is the wrong one.
  findModule(context.cwd, context.options.module);
  const write = (line: string): void => void context.stdout.write(`${line}\n`);
  const loop = new Loop({
    ...loopOptions(context, flags, "fastloop watch", names),
    source: flags.poll === true ? "polling" : undefined,
    quietMs: flags.debounce === undefined ? undefined : duration("--debounce", flags.debounce),
  });
  const stopped = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  const { json, verbose } = context.options;
  loop.on(
    json
      ? jsonReporter(write)
      : plainReporter({ write, colors: context.colors("stdout"), verbose, cwd: context.cwd, clock: () => new Date() }),
  );
  if (flags.bell === true) loop.on((notice) => void (notice.kind === "finished" && notice.outcome === "failed" && context.stderr.write("\u0007")));
  try {
    await Promise.race([loop.start(), stopped]);
    await stopped;
    signal.throwIfAborted();
  } finally {
    await loop.stop();
  }
}
