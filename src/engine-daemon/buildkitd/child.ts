/** Runs programs of the daemon that must not outlive it. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../../errors/index.ts";
import type { Log } from "./log.ts";
import { forgetProcess, noteProcess } from "./process-file.ts";

export interface ChildOptions {
  name: "buildkitd" | "registry";
  command: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  log: Log;
  /** State folder in which the process is recorded for the sweep after a daemon that died; see sweep.ts. */
  state: string;
}

export interface Child {
  readonly pid: number;
  /** Resolves when the process has ended, to a description of how. */
  readonly ended: Promise<string>;
  /** Returns the last lines of its output. */
  tail(): string;
  /** Sends SIGTERM, and SIGKILL after `graceMs`. Resolves when the process has ended. */
  stop(graceMs: number): Promise<void>;
}

/** Polls until the program answers. Throws a `UserError` when it ends or does not answer in time. */
export async function untilAnswers(
  child: Child,
  name: string,
  answers: () => Promise<boolean>,
  timeoutMs: number,
): Promise<void> {
  let ended: string | undefined;
  void child.ended.then((how) => (ended = how));
  const deadlineMs = performance.now() + timeoutMs;
  while (performance.now() < deadlineMs && ended === undefined) {
    if (await answers()) return;
    await sleep(20);
  }
  const how = ended ?? `nothing in ${timeoutMs} ms`;
  if (ended === undefined) await child.stop(1000);
  throw new UserError("engine-unavailable", `${name} did not start (${how})`, { detail: child.tail() });
}

const tailLines = 30;
/** Program of util-linux that has the kernel send SIGTERM to the child when the daemon dies abruptly. */
const setpriv = "/usr/bin/setpriv";

/** Starts a program and records its process. Throws when the record cannot be written; the program is killed then. */
export function startChild(options: ChildOptions): Child {
  const tied = process.platform === "linux" && existsSync(setpriv);
  const process_ = tied
    ? spawn(setpriv, ["--pdeathsig", "TERM", options.command, ...options.args], spawnOptions(options))
    : spawn(options.command, options.args, spawnOptions(options));
  const lines: string[] = [];
  const keep = (line: string): void => {
    options.log.write(options.name, line);
    lines.push(line);
    lines.splice(0, Math.max(0, lines.length - tailLines));
  };
  // Read by lines, because a secret that is cut in two could not be masked.
  for (const input of [process_.stdout, process_.stderr]) createInterface({ input }).on("line", keep);

  const ended = new Promise<string>((resolve) => {
    process_.once("error", (error) => resolve(`could not start: ${error.message}`));
    process_.once("exit", (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
  }).then((how) => {
    forgetProcess(options.state, options.name);
    options.log.write(options.name, `ended: ${how}`);
    return how;
  });
  const pid = process_.pid ?? 0;
  try {
    if (pid !== 0) noteProcess(options.state, options.name, pid);
  } catch (error) {
    // Without the record, nothing would know about the process after this daemon.
    process_.kill("SIGKILL");
    throw error;
  }

  return {
    pid,
    ended,
    tail: () => options.log.masked(lines.join("\n")),
    async stop(graceMs) {
      process_.kill("SIGTERM");
      const timer = setTimeout(() => process_.kill("SIGKILL"), graceMs);
      await ended;
      clearTimeout(timer);
    },
  };
}

function spawnOptions(options: ChildOptions) {
  // A process group of its own keeps away Ctrl-C in the terminal that started the daemon.
  return { env: options.env, stdio: ["ignore", "pipe", "pipe"] as ["ignore", "pipe", "pipe"], detached: true };
}
