/**
 * Lends the user's terminal to a program in a container: passes raw keys and output on, and restores the terminal at
 * the end.
 */
import { spawnSync } from "node:child_process";
import process from "node:process";
import type { RemoteTerminal, TerminalLine } from "../../engine/index.ts";
import type { CliContext } from "../context.ts";
import type { Progress } from "./progress.ts";
import { printable } from "../../text/index.ts";

export interface UserTerminal {
  /** Whether a program had the terminal: the result of such a call depends on what the user typed. */
  readonly wasUsed: boolean;
  /** Lends the terminal until the program ends; progress is held back meanwhile. */
  lend(remote: RemoteTerminal, progress: Progress | undefined): Promise<void>;
}

/** Returns undefined when no terminal is attached, or with `--json`. */
export function userTerminal(context: CliContext): UserTerminal | undefined {
  const screen = [context.stderr, context.stdout].find((stream) => stream.isTTY);
  if (!context.stdin.isTTY || screen === undefined || context.options.json) return undefined;
  let wasUsed = false;
  /** One program at a time: the next starts when the last has returned the terminal. */
  let turn: Promise<unknown> = Promise.resolve();
  return {
    get wasUsed() {
      return wasUsed;
    },
    lend(remote, progress) {
      wasUsed = true;
      const lent = turn.then(async () => {
        progress?.hold();
        // Errors are reported by the query that asked for the terminal.
        await converse(remote, context, screen).catch(() => undefined);
        progress?.release();
      });
      turn = lent;
      return lent;
    },
  };
}

async function converse(
  remote: RemoteTerminal,
  { stdin, signal }: CliContext,
  screen: NodeJS.WriteStream,
): Promise<void> {
  const size = () => ({ rows: screen.rows, columns: screen.columns });
  screen.write(`terminal: ${printable(remote.name)}\n`);
  // A closed terminal answers each change of its mode with an error, which is ignored.
  const deaf = (): void => undefined;
  stdin.on("error", deaf);
  let line: TerminalLine | undefined;
  const onKeys = (keys: Buffer): void => line?.write(keys);
  const onResize = (): void => line?.resize(size());
  const restore = (): void => {
    stdin.off("data", onKeys).pause();
    screen.off("resize", onResize);
    stdin.setRawMode(false);
  };
  // The mode belongs to the terminal and outlives the process, so it is restored however the process ends.
  process.once("exit", restore);
  signal.addEventListener("abort", restore, { once: true });
  try {
    if (signal.aborted) return;
    stdin.setRawMode(true);
    // In Node's raw mode the terminal still turns \n into \r\n, which the container's terminal has done where needed.
    spawnSync("stty", ["-opost"], { stdio: ["inherit", "ignore", "ignore"] });
    line = await remote.connect(size(), (data) => screen.write(data));
    stdin.on("data", onKeys).resume();
    screen.on("resize", onResize);
    const exitCode = await line.ended;
    restore();
    if (exitCode !== undefined && !signal.aborted) screen.write(exitCode < 0 ? "exit\n" : `exit ${exitCode}\n`);
  } finally {
    restore();
    process.off("exit", restore);
    signal.removeEventListener("abort", restore);
    stdin.off("error", deaf);
  }
}
