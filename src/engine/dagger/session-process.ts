/**
 * A Dagger session as a child process: `dagger session` prints one JSON line with port and token and lives until its
 * stdin closes. The provision program, which has the SDK download a CLI, does the same. If fastloop is killed, stdin
 * closes.
 */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { signalGroup } from "../../async/index.ts";
import { UserError } from "../../errors/index.ts";

export interface SessionProcessOptions {
  command: string;
  args: readonly string[];
  workdir: string;
  env: NodeJS.ProcessEnv;
  connectTimeoutMs: number;
  signal?: AbortSignal | undefined;
}

export interface SessionProcess {
  port: number;
  token: string;
  /** Resolves with a description of how the process ended. */
  ended: Promise<string>;
  close(): Promise<void>;
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/** Within the two seconds after which nothing of the CLI may be left. */
const terminateGraceMs = 1500;
const tailLines = 20;

export async function startSessionProcess(options: SessionProcessOptions): Promise<SessionProcess> {
  const child = spawn(options.command, options.args, {
    cwd: options.workdir,
    env: options.env,
    stdio: ["pipe", "pipe", "pipe"],
    // A process group of its own, so that everything it starts ends with it.
    detached: true,
  });
  // The process may end while stdin is still open; the exit handler reports that.
  child.stdin.on("error", () => undefined);
  const tail: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => {
    tail.push(line);
    if (tail.length > tailLines) tail.shift();
  });
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(`could not start: ${error.message}`));
    child.once("exit", (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
  });
  const close = (): Promise<void> => terminate(child, ended);
  try {
    const { port, token } = await firstLine(child, ended, options, tail);
    return { port, token, ended, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function firstLine(child: Child, ended: Promise<string>, options: SessionProcessOptions, tail: readonly string[]) {
  const { command, connectTimeoutMs, signal } = options;
  let timer: NodeJS.Timeout | undefined;
  let onAbort = (): void => undefined;
  return new Promise<{ port: number; token: string }>((resolve, reject) => {
    const fail = (problem: string): void =>
      reject(
        new UserError("engine-unavailable", `${command} gave no Dagger session: ${problem}`, {
          detail: tail.join("\n"),
          hint: "try `dagger core version`, or use --engine embedded",
        }),
      );
    timer = setTimeout(() => fail(`nothing within ${connectTimeoutMs / 1000} s`), connectTimeoutMs);
    onAbort = () => reject(signal?.reason as Error);
    signal?.addEventListener("abort", onAbort, { once: true });
    void ended.then((how) => fail(how));
    createInterface({ input: child.stdout }).on("line", (line) => {
      const session = parseSession(line);
      // Other lines on stdout are ignored.
      if (session !== undefined) resolve(session);
    });
  }).finally(() => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  });
}

/** Parses `{"port":N,"session_token":"…"}`; undefined for any other line. */
export function parseSession(line: string): { port: number; token: string } | undefined {
  try {
    const { port, session_token: token } = JSON.parse(line) as Record<string, unknown>;
    return typeof port === "number" && typeof token === "string" ? { port, token } : undefined;
  } catch {
    return undefined;
  }
}

async function terminate(child: Child, ended: Promise<string>): Promise<void> {
  child.stdin.end();
  signalGroup(child, "SIGTERM");
  // `dagger session` is known to ignore SIGTERM while it waits for an engine that does not answer.
  const timer = setTimeout(() => signalGroup(child, "SIGKILL"), terminateGraceMs);
  await ended;
  clearTimeout(timer);
}
