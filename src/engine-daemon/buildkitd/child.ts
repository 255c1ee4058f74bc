/** A program that the daemon runs and that must not outlive it. */
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
  /** Where the process is noted, for the sweep after a daemon that died; see sweep.ts. */
  state: string;
}

export interface Child {
  readonly pid: number;
  /** Resolves when the process has ended, with how. */
  readonly ended: Promise<string>;
  /** The last lines that it wrote. */
  tail(): string;
  /** SIGTERM, SIGKILL after the grace; resolves when it has ended. */
  stop(graceMs: number): Promise<void>;
}

/** Asks again and again until the program answers; throws where it ends, or says nothing for too long. */
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
/** Has the kernel send SIGTERM to the child when we die without a chance to. Part of util-linux. */
const setpriv = "/usr/bin/setpriv";

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
  // By lines: a secret that is cut in two could not be masked.
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
    // Nothing would know of it any more.
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
  // A process group of its own: Ctrl-C in the terminal that started the daemon is not meant for it.
  return { env: options.env, stdio: ["ignore", "pipe", "pipe"] as ["ignore", "pipe", "pipe"], detached: true };
}
