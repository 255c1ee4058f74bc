/** Options that `run` and `watch` share. */
import { Option, type Command } from "commander";
import { durationAt, longestTimeLimitMs, type TierName } from "../config/index.ts";
import { UserError } from "../errors/index.ts";
import type { Loop, LoopOptions } from "../run/index.ts";
import type { CliContext } from "./context.ts";
import { trustModeOf } from "./trust/trust.ts";

export interface LoopFlags {
  jobs?: string;
  failFast?: boolean;
  continue?: boolean;
  offline?: boolean;
  via?: "host" | "module";
  tier?: TierName;
  timeout?: string;
  config?: string;
}

/** Returns the `--config` option of every command that reads the project. */
export function configFileOption(): Option {
  return new Option("--config <file>", "configuration (default: the nearest fastloop.yaml in this folder or above)");
}

/** Returns the `--offline` option of every command that opens a session. */
export function offlineOption(): Option {
  return new Option("--offline", "use no network; what needs it fails at once, with its name");
}

export function addLoopOptions(command: Command): Command {
  return command
    .addOption(new Option("-j, --jobs <number>", "how many functions run at a time (default: one less than CPUs)"))
    .addOption(new Option("--fail-fast", "on the first failure, cancel running functions and start no others"))
    .addOption(
      new Option("--continue", "after a failure, continue with functions that do not need it (the default)").conflicts(
        "failFast",
      ),
    )
    .addOption(
      new Option("--tier <tier>", "only functions of this tier and faster ones").choices(["smoke", "fast", "full"]),
    )
    .addOption(offlineOption())
    .addOption(
      new Option("--via <way>", "where function bodies run: beside this process, or in the Dagger engine").choices([
        "host",
        "module",
      ]),
    )
    .addOption(new Option("--timeout <duration>", "time limit of each function that declares none, e.g. 5m"))
    .addOption(configFileOption());
}

/** Converts the command line to the loop's options. Throws for an invalid number or duration. */
export function loopOptions(
  context: CliContext,
  flags: LoopFlags,
  command: string,
  names: readonly string[],
): LoopOptions {
  return {
    cwd: context.cwd,
    moduleDir: context.options.module,
    configFile: flags.config,
    environment: context.env,
    trust: trustModeOf(context),
    engine: context.options.engine,
    buildkitHost: context.options.buildkitHost,
    command,
    selection: { names: names.length === 0 ? undefined : names, tier: flags.tier },
    offline: flags.offline,
    via: flags.via,
    jobs: flags.jobs === undefined ? undefined : wholeNumber("--jobs", flags.jobs),
    failFast: flags.failFast,
    timeoutMs: flags.timeout === undefined ? undefined : timeLimit("--timeout", flags.timeout),
  };
}

/** Stops the loop when the signal aborts. Returns a function that removes the listener. */
export function stopOnSignal({ signal }: CliContext, loop: Loop): () => void {
  const onAbort = (): void => void loop.stop();
  signal.addEventListener("abort", onAbort, { once: true });
  return () => signal.removeEventListener("abort", onAbort);
}

/** Returns a duration of the command line in milliseconds. Throws when it is invalid. */
export function duration(flag: string, text: string): number {
  return durationAt(text, flag);
}

/**
 * Returns a time limit in milliseconds. Throws for zero, which would end a run before it began, and above 24 days:
 * Node's timers overflow at 24.8 days.
 */
export function timeLimit(flag: string, text: string): number {
  const ms = duration(flag, text);
  if (ms > 0 && ms <= longestTimeLimitMs) return ms;
  const message = ms > 0 ? `at most 24d are possible, not ${text}` : `${text} leaves no time to run in`;
  throw new UserError("usage", message, { place: flag, hint: "leave it out to run without a limit" });
}

function wholeNumber(flag: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new UserError("usage", `not a positive whole number: ${text}`, { place: flag });
}
