/**
 * `fastloop session -- COMMAND`: runs a program with an open Dagger session in its environment, as `dagger run` does.
 */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import process from "node:process";
import type { Command } from "commander";
import { loadConfig } from "../../config/index.ts";
import type { EngineEvent } from "../../engine/types.ts";
import { UserError } from "../../errors/index.ts";
import { duration, StepLines } from "../../report/index.ts";
import { outputText, printable } from "../../text/index.ts";
import type { CliContext } from "../context.ts";
import { trustOf } from "../../plan/index.ts";
import { ProjectSession } from "../../session/index.ts";
import { configFileOption, offlineOption } from "../loop-options.ts";
import { trustModeOf } from "../trust/trust.ts";

const examples = `
Examples:
  fastloop session -- node pipeline.mjs        a program that uses @dagger.io/dagger
  fastloop session -- npm run release          any other program, with all that it starts
  fastloop session --engine embedded -- sh -c 'echo $DAGGER_SESSION_PORT'

The program finds the session through DAGGER_SESSION_PORT and DAGGER_SESSION_TOKEN. Its exit code is passed on.`;

interface SessionFlags {
  offline?: boolean;
  config?: string;
}

const forwarded = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"] as const;

export function register(program: Command, context: CliContext): void {
  program
    .command("session")
    .summary("run a program with an engine session in its environment")
    .description("Run a program with an open engine session in its environment.")
    .usage("[options] -- COMMAND [ARGUMENT...]")
    .argument("<command...>", "the program and its arguments")
    .addOption(offlineOption())
    .addOption(configFileOption())
    .passThroughOptions()
    .addHelpText("after", examples)
    .action(async (command: string[], flags: SessionFlags) => {
      process.exitCode = await runInSession(context, command, flags);
    });
}

async function runInSession(
  context: CliContext,
  [command, ...args]: string[],
  { offline, config: file }: SessionFlags,
): Promise<number> {
  if (command === undefined) throw new UserError("usage", "no program was given", { place: "fastloop session" });
  // A signal aborts the opening of the session; once the program runs, signals are passed on to it.
  let onSignal: (signal: NodeJS.Signals) => void;
  const opening = new AbortController();
  onSignal = (signal) => opening.abort(new UserError("interrupted", `interrupted by ${signal}`));
  for (const signal of forwarded) process.on(signal, (received) => onSignal(received));

  const { options } = context;
  const config = await loadConfig({ cwd: context.cwd, file });
  const trust = trustOf(config, undefined, { environment: context.env, trust: trustModeOf(context) });
  const project = new ProjectSession({
    workdir: context.cwd,
    config,
    trust,
    named: options,
    environment: context.env,
    offline: offline === true,
    writesCaches: true,
    signal: opening.signal,
    onNotice: context.notice,
  });
  const session = await project.open();
  if (options.verbose) context.notice(`engine: ${session.engine.version} (${session.engine.reason})`);
  const output = new StepLines();
  const unsubscribe = session.onEvent((event) => {
    if (options.verbose) for (const line of output.lines(event)) context.stderr.write(`${outputText(line)}\n`);
    tell(event, context);
  });
  try {
    const child = spawn(command, args, {
      cwd: context.cwd,
      stdio: "inherit",
      env: { ...context.env, DAGGER_SESSION_PORT: String(session.port), DAGGER_SESSION_TOKEN: session.token },
    });
    // A terminal sends SIGINT for Ctrl-C to the program itself.
    onSignal = (signal) => void (signal === "SIGINT" && process.stdin.isTTY ? undefined : child.kill(signal));
    return await exitCodeOf(command, child);
  } finally {
    await project.close();
    unsubscribe();
  }
}

/** Prints whole lines only and redraws nothing, because the program writes to the same terminal. */
function tell(event: EngineEvent, context: CliContext): void {
  if (event.kind === "notice") context.notice(event.text);
  else if (event.kind === "step-done" && (!event.cached || event.error !== undefined)) {
    context.notice(
      `${event.error === undefined ? "done" : "failed"}: ${printable(event.name)} (${duration(event.durationMs)})`,
    );
  }
}

function exitCodeOf(command: string, child: ReturnType<typeof spawn>): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", (error: NodeJS.ErrnoException) => {
      const problem = error.code === "ENOENT" ? "command not found" : error.message;
      reject(
        new UserError("usage", `${command}: ${problem}`, {
          exitCode: error.code === "ENOENT" ? 127 : 126,
          cause: error,
        }),
      );
    });
    child.once("close", (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}
