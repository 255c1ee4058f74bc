/** The command line in this process, from its sources: with streams of its own, and the process as it was before. */
import process from "node:process";
import { PassThrough } from "node:stream";
import { createContext } from "../../../src/cli/context.ts";
import { runCommand } from "../../../src/cli/program.ts";
import { UserError } from "../../../src/errors/index.ts";

export interface CliResult {
  exitCode: number;
  stdout: string;
  stderr: string;
}

export interface CliOptions {
  cwd: string;
  env?: NodeJS.ProcessEnv;
  /** All streams are a terminal's. */
  isTTY?: boolean;
  /** Told of each piece of output when it comes. */
  onOutput?: (stream: "stdout" | "stderr", text: string) => void;
}

/** Runs `fastloop ARGS` to its end. */
export function fastloop(args: readonly string[], options: CliOptions): Promise<CliResult> {
  return startFastloop(args, options).ended;
}

export interface RunningFastloop {
  ended: Promise<CliResult>;
  /** As the first signal does; this process gets none. */
  interrupt(reason: string): void;
  /** Keys that the user presses. */
  press(keys: string): void;
}

/** Starts `fastloop ARGS`. What runs beside it has the same environment: it is the process's. */
export function startFastloop(
  args: readonly string[],
  { cwd, env = {}, isTTY = false, onOutput }: CliOptions,
): RunningFastloop {
  const result: CliResult = { exitCode: 0, stdout: "", stderr: "" };
  const output = (stream: "stdout" | "stderr"): NodeJS.WriteStream => {
    const written = new PassThrough();
    written.setEncoding("utf8").on("data", (text: string) => {
      result[stream] += text;
      onOutput?.(stream, text);
    });
    return Object.assign(written, { isTTY, columns: 100, rows: 40 }) as unknown as NodeJS.WriteStream;
  };
  const stdin = Object.assign(new PassThrough(), { isTTY, setRawMode: () => stdin });
  if (!isTTY) stdin.end();
  const context = createContext({
    stdout: output("stdout"),
    stderr: output("stderr"),
    stdin: stdin as unknown as NodeJS.ReadStream,
    cwd,
  });
  const interrupted = new AbortController();
  Object.defineProperty(context, "signal", { value: interrupted.signal });
  const environment = new Map(Object.keys(env).map((name) => [name, process.env[name]]));
  Object.assign(process.env, env);
  const run = async (): Promise<CliResult> => {
    try {
      result.exitCode = await runCommand([...args], "0.0.0", context);
    } finally {
      process.exitCode = undefined;
      for (const [name, value] of environment) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    }
    // What was written is read at the next turn.
    await new Promise((resolve) => setImmediate(resolve));
    return result;
  };
  return {
    ended: run(),
    interrupt: (reason) => interrupted.abort(new UserError("interrupted", reason)),
    press: (keys) => void stdin.write(keys),
  };
}
