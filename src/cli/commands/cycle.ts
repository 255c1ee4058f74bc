/** `fastloop cycle`: clears, builds, tests and starts; each step is a command that can also be run alone. */
import { spawn } from "node:child_process";
import { Option, type Command } from "commander";
import { commandName, loadProjectModule } from "../../call/index.ts";
import { loadConfig } from "../../config/index.ts";
import { ExitCode } from "../../errors/index.ts";
import { duration, painter } from "../../report/index.ts";
import { commands } from "../commands.ts";
import type { CliContext } from "../context.ts";
import { configFileOption } from "../loop-options.ts";
import { cycleSteps, cycles, type Cycle } from "../cycle-steps.ts";

interface CycleFlags {
  dryRun?: boolean;
  yes?: boolean;
  up?: boolean;
  config?: string;
}

export function register(program: Command, context: CliContext): void {
  program
    .command("cycle")
    .argument(
      "[kind]",
      Object.entries(cycles)
        .map(([name, { what }]) => `${name}: ${what}`)
        .join("; "),
      "fast",
    )
    .summary("clear caches if requested, then build, test and start services")
    .description(
      "Build the dev image, run what is not current, and start the services, in one command. `fast` keeps every cache; `clean` first clears the project's results and cache volumes; `nuclear` clears everything, including base images. Stops at the first failing step, with its exit code.",
    )
    .addOption(new Option("--dry-run", "print the commands, and run none"))
    .addOption(new Option("-y, --yes", "do not ask before `nuclear` deletes what all projects share"))
    .addOption(new Option("--no-up", "do not start services"))
    .addOption(configFileOption())
    .addHelpText(
      "after",
      `
Examples:
  fastloop cycle                    every day: build, test, start; caches are kept
  fastloop cycle clean              when things break
  fastloop cycle nuclear --dry-run  what it would do`,
    )
    .action((kind: Cycle, flags: CycleFlags) => cycle(context, kind, flags));
  const argument = program.commands.find((command) => command.name() === "cycle")?.registeredArguments[0];
  argument?.choices(Object.keys(cycles));
}

async function cycle(context: CliContext, kind: Cycle, flags: CycleFlags): Promise<void> {
  const config = await loadConfig({ cwd: context.cwd, file: flags.config });
  const module = await loadProjectModule({
    cwd: context.cwd,
    moduleDir: context.options.module,
    config,
    environment: context.env,
  });
  const functions = Object.values(module.objects[module.mainObject]?.functions ?? {}).map(commandName);
  const services = config.config.services ?? {};
  const steps = cycleSteps(kind, {
    functions,
    images: Object.keys(config.config.images ?? {}),
    hasServices: flags.up !== false && Object.hasOwn(commands, "up") && Object.keys(services).length > 0,
    yes: flags.yes === true,
    shared: sharedWords(context, flags),
  });
  if (flags.dryRun === true) {
    if (context.options.json) return context.printJson({ kind, steps });
    for (const words of steps) context.print(`fastloop ${words.join(" ")}\n`);
    return;
  }
  const done: { command: string; exitCode: number; tookMs: number }[] = [];
  const paint = painter(context.colors("stderr"));
  for (const words of steps) {
    const command = `fastloop ${words.join(" ")}`;
    if (!context.options.json) context.notice(paint("bold", command));
    const startedMs = performance.now();
    const exitCode = await runStep(words, context);
    done.push({ command, exitCode, tookMs: Math.round(performance.now() - startedMs) });
    process.exitCode = exitCode;
    if (exitCode !== ExitCode.passed) break;
  }
  if (context.options.json) return context.printJson({ kind, steps: done });
  const total = done.reduce((sum, { tookMs }) => sum + tookMs, 0);
  const last = done.at(-1);
  context.notice(
    last !== undefined && last.exitCode !== ExitCode.passed
      ? `${last.command} ended with ${last.exitCode}`
      : `done in ${duration(total)}: ${done.map(({ command, tookMs }) => `${command.split(" ")[1]} ${duration(tookMs)}`).join(", ")}`,
  );
}

/** Returns the options of this command to pass on to each step. */
function sharedWords({ options, env }: CliContext, { config }: CycleFlags): string[] {
  const { engine, buildkitHost, module, verbose } = options;
  return [
    ...(config === undefined ? [] : ["--config", config]),
    ...(module === undefined ? [] : ["-m", module]),
    // Steps read FASTLOOP_ENGINE themselves.
    ...(engine === undefined || engine === env["FASTLOOP_ENGINE"] ? [] : ["--engine", engine]),
    ...(buildkitHost === undefined ? [] : ["--buildkit-host", buildkitHost]),
    ...(verbose ? ["-v"] : []),
  ];
}

/**
 * Runs a step with this command's output; with `--json` the step's stdout goes to stderr. Resolves with its exit code.
 */
function runStep(words: readonly string[], { cwd, env, options, signal }: CliContext): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [process.argv[1]!, ...words], {
      cwd,
      env,
      stdio: ["inherit", options.json ? process.stderr : "inherit", "inherit"],
    });
    const stop = (): void => void child.kill("SIGINT");
    signal.addEventListener("abort", stop, { once: true });
    child.once("error", reject);
    child.once("close", (code) => {
      signal.removeEventListener("abort", stop);
      resolve(signal.aborted ? ExitCode.interrupted : (code ?? ExitCode.failed));
    });
  });
}
