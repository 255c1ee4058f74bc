/** What `run` and `watch` have in common on the command line. */
import { Option, type Command } from "commander";
import { durationMs } from "../config/index.ts";
import { UserError } from "../errors/index.ts";
import type { LoopOptions } from "../run/index.ts";
import type { CliContext } from "./context.ts";

export interface LoopFlags {
  jobs?: string;
  failFast?: boolean;
  timeout?: string;
  config?: string;
}

export function addLoopOptions(command: Command): Command {
  return command
    .addOption(new Option("-j, --jobs <number>", "functions that run at a time (default: one less than CPUs)"))
    .addOption(new Option("--fail-fast", "start no other function after the first failure"))
    .addOption(new Option("--timeout <duration>", "for functions that declare none, e.g. 5m"))
    .addOption(new Option("--config <file>", "configuration (default: the nearest fastloop.yaml upwards)"));
}

export function loopOptions(context: CliContext, flags: LoopFlags, command: string): LoopOptions {
  return {
    cwd: context.cwd,
    moduleDir: context.options.module,
    configFile: flags.config,
    environment: context.env,
    engine: context.options.engine,
    buildkitHost: context.options.buildkitHost,
    command,
    jobs: flags.jobs === undefined ? undefined : wholeNumber("--jobs", flags.jobs),
    failFast: flags.failFast,
    timeoutMs: flags.timeout === undefined ? undefined : duration("--timeout", flags.timeout),
  };
}

export function duration(flag: string, text: string): number {
  try {
    return durationMs(text);
  } catch {
    throw new UserError("usage", `not a duration: ${text}`, { place: flag, hint: "a number and ms, s, m, h or d, e.g. 90s" });
  }
}

function wholeNumber(flag: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new UserError("usage", `not a positive whole number: ${text}`, { place: flag });
}
