/**
 * Context of every command: streams, environment, the options that all commands share, and the one way to report an
 * error. Commands throw `UserError`; `fail` prints it and returns the exit code.
 */
import { statSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { ExitCode, UserError } from "../errors/index.ts";
import { outputText, printableJson } from "../text/index.ts";
import { takeStateKey } from "../state/index.ts";
import { asSystemError } from "./system-error.ts";

/** Options that every command accepts, before or after its name. */
export interface GlobalOptions {
  /** `auto`, `embedded` or `dagger`; undefined when neither flag nor `FASTLOOP_ENGINE` names one. */
  engine?: string;
  /** `--buildkit-host`: overrides the environment's `BUILDKIT_HOST`. */
  buildkitHost?: string;
  verbose: boolean;
  json: boolean;
  /** `-m`: folder of the module; undefined: the nearest one upwards from `cwd`. */
  module?: string;
  /** `--trust` and `--no-trust`; undefined: the environment or the user's stored decision applies. */
  trust?: boolean;
  /** False with `--no-color`; undefined: the stream and the environment decide. */
  color?: boolean;
}

export interface CliContext {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly stdin: NodeJS.ReadStream;
  readonly env: NodeJS.ProcessEnv;
  /** Folder that the command works in: the process's, or that of `-C`. Absolute. */
  cwd: string;
  /** Set before a command's action runs, but not yet when the command registers. */
  options: GlobalOptions;
  /**
   * Aborted by the first SIGINT, SIGTERM or SIGHUP; the process then has two seconds to clean up and exits with 130. A
   * second signal ends it at once. Reading this property installs the handlers.
   */
  readonly signal: AbortSignal;
  /** Aborts `signal` as a signal would. Returns false when no command has read `signal`. */
  interrupt(reason: string): boolean;
  /** Reports whether output to the stream is colored. */
  colors(stream: "stdout" | "stderr"): boolean;
  /** Writes text for the user to stdout. Colors pass; any other control sequence is removed. */
  print(text: string): void;
  /** Writes one line of JSON to stdout. */
  printJson(value: unknown): void;
  /** Writes one line for the user to stderr, so that stdout holds only results. */
  notice(text: string): void;
  /** Prints the error and returns its exit code. */
  fail(error: unknown): number;
}

/** Time for clean-up after a signal; nothing outlives the CLI longer than this. */
const graceMs = 2000;

/**
 * Creates the context of this process. `own` replaces streams and folder, for a command that runs beside other work.
 */
export function createContext(own: Partial<Pick<CliContext, "stdout" | "stderr" | "stdin" | "cwd">> = {}): CliContext {
  let signals: Signals | undefined;
  const context: CliContext = {
    stdout: own.stdout ?? process.stdout,
    stderr: own.stderr ?? process.stderr,
    stdin: own.stdin ?? process.stdin,
    env: process.env,
    cwd: own.cwd ?? workingFolder(),
    options: { verbose: false, json: false },
    get signal() {
      signals ??= installSignalHandlers();
      return signals.signal;
    },
    interrupt(reason) {
      if (signals?.signal.aborted === false) signals.interrupt(reason);
      return signals !== undefined;
    },
    colors: (stream) => wantsColor(context, context[stream]),
    print: (text) => void context.stdout.write(outputText(text)),
    printJson: (value) => void context.stdout.write(`${printableJson(value)}\n`),
    notice: (text) => void context.stderr.write(`${outputText(text)}\n`),
    fail: (error) => report(context, error),
  };
  return context;
}

/** Returns the working folder. If it was deleted, only its name in `PWD` is left. */
function workingFolder(): string {
  try {
    return process.cwd();
  } catch {
    return process.env.PWD ?? path.sep;
  }
}

/**
 * Merges the parsed options into the context; called once, before the command's action. Throws when `-C` is no folder.
 */
export function applyGlobalOptions(context: CliContext, parsed: Record<string, unknown>): void {
  takeStateKey(context.env);
  const text = (key: string): string | undefined => (typeof parsed[key] === "string" ? parsed[key] : undefined);
  context.options = {
    engine: text("engine") ?? (context.env.FASTLOOP_ENGINE || undefined),
    buildkitHost: text("buildkitHost"),
    verbose: parsed.verbose === true,
    json: parsed.json === true,
    module: text("module"),
    trust: typeof parsed.trust === "boolean" ? parsed.trust : undefined,
    color: parsed.color === false ? false : undefined,
  };
  const directory = text("directory");
  if (directory !== undefined) context.cwd = path.resolve(context.cwd, directory);
  if (statSync(context.cwd, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new UserError("usage", "there is no such folder", {
      place: directory === undefined ? context.cwd : `--directory ${directory}`,
    });
  }
}

interface Signals {
  signal: AbortSignal;
  interrupt(reason: string): void;
}

function installSignalHandlers(): Signals {
  const controller = new AbortController();
  const interrupt = (reason: string): void => {
    controller.abort(new UserError("interrupted", reason));
    setTimeout(() => process.exit(ExitCode.interrupted), graceMs).unref();
  };
  // A terminal that closes both breaks the stream and sends SIGHUP, so only a second signal ends the process at once.
  let count = 0;
  const onSignal = (name: NodeJS.Signals): void => {
    if (++count > 1) process.exit(ExitCode.interrupted);
    if (!controller.signal.aborted) interrupt(`interrupted by ${name}`);
  };
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, onSignal);
  return { signal: controller.signal, interrupt };
}

/**
 * Decides by `--no-color`, then `FORCE_COLOR`, `NO_COLOR` and `TERM=dumb`, then by whether the stream is a terminal.
 */
function wantsColor(context: CliContext, stream: NodeJS.WriteStream): boolean {
  const { FORCE_COLOR, NO_COLOR, TERM } = context.env;
  if (context.options.color === false) return false;
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== "") return FORCE_COLOR !== "0" && FORCE_COLOR !== "false";
  if (NO_COLOR !== undefined && NO_COLOR !== "") return false;
  return stream.isTTY && TERM !== "dumb";
}

/** Returns why the command was interrupted if that ended one of Node's waits, which throws an error of its own. */
function asInterruption(context: CliContext, thrown: unknown): unknown {
  return thrown instanceof Error && thrown.name === "AbortError" && context.signal.aborted
    ? context.signal.reason
    : undefined;
}

function report(context: CliContext, thrown: unknown): number {
  const error = asSystemError(thrown) ?? asInterruption(context, thrown) ?? thrown;
  if (error instanceof UserError) {
    if (context.options.json) {
      context.stderr.write(`${printableJson({ error: { ...error.toJSON(), exitCode: error.exitCode } })}\n`);
    } else if (error.code !== "interrupted") {
      context.stderr.write(`${context.colors("stderr") ? "\u001b[31merror:\u001b[39m" : "error:"} ${error.format()}\n`);
    }
    return error.exitCode;
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  if (context.options.json) {
    context.stderr.write(
      `${printableJson({ error: { code: "bug", message: String(error), detail: stack, exitCode: ExitCode.failed } })}\n`,
    );
  } else {
    context.stderr.write(`this is a bug in fastloop; please report it with these lines:\n${outputText(stack)}\n`);
  }
  return ExitCode.failed;
}
