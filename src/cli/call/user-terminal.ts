/** The user's terminal, lent to a program in a container: raw keys there, its output here, and everything as before at the end. */
import { spawnSync } from "node:child_process";
import process from "node:process";
import type { RemoteTerminal, TerminalLine } from "../../engine/index.ts";
import type { CliContext } from "../context.ts";
import type { Progress } from "./progress.ts";
import { printable } from "../../text/index.ts";

export interface UserTerminal {
  /** Whether a program had the terminal: what such a call gives depends on what was typed. */
  readonly wasUsed: boolean;
  /** Lends it until the program ends; progress waits meanwhile. */
  lend(remote: RemoteTerminal, progress: Progress | undefined): Promise<void>;
}

/** Undefined where no terminal is attached, or where a program reads what is printed. */
export function userTerminal(context: CliContext): UserTerminal | undefined {
  const screen = [context.stderr, context.stdout].find((stream) => stream.isTTY);
  if (!context.stdin.isTTY || screen === undefined || context.options.json) return undefined;
  let wasUsed = false;
  /** One at a time: the next begins when the last has given the terminal back. */
  let turn: Promise<unknown> = Promise.resolve();
  return {
    get wasUsed() {
      return wasUsed;
    },
    lend(remote, progress) {
      wasUsed = true;
      const lent = turn.then(async () => {
        progress?.hold();
        // What went wrong is in the answer to the query that wanted the terminal.
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
  // A terminal that was closed answers each change of its mode with an error.
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
  // However the process ends: the mode is the terminal's, and stays.
  process.once("exit", restore);
  signal.addEventListener("abort", restore, { once: true });
  try {
    if (signal.aborted) return;
    stdin.setRawMode(true);
    // Node's raw mode still turns each \n into \r\n, as the container's terminal has done where that is wanted.
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
