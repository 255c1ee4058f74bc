import process from "node:process";
import { createInterface } from "node:readline/promises";
import type { CliContext } from "../context.ts";

/** Reports whether the user can be asked: stdin and stderr are terminals, and the output is not JSON. */
export function canAsk({ stdin, stderr, options }: CliContext): boolean {
  return stdin.isTTY && stderr.isTTY && !options.json;
}

/** Contexts that wait for an answer; nothing else writes to the terminal meanwhile. */
const asking = new WeakSet<CliContext>();

/** Reports whether a question of this context waits for an answer. */
export const isAsking = (context: CliContext): boolean => asking.has(context);

/**
 * Asks a yes/no question on the terminal. An empty answer and the end of input mean no; anything unclear is asked
 * again.
 */
export async function confirm(context: CliContext, question: string): Promise<boolean> {
  const { stdin, stderr, signal } = context;
  if (stdin.readableEnded) return false;
  const line = createInterface({ input: stdin, output: stderr });
  // Readline handles Ctrl-C itself in raw mode, so the signal is sent on to end the command.
  line.on("SIGINT", () => process.kill(process.pid, "SIGINT"));
  const ended = new Promise<string>((resolve) => {
    line.once("close", () => resolve(""));
  });
  asking.add(context);
  try {
    for (;;) {
      const answer = (await Promise.race([line.question(`${question} [y/N] `, { signal }), ended])).trim();
      if (/^y(?:es)?$/i.test(answer)) return true;
      if (/^(?:no?)?$/i.test(answer)) return false;
      stderr.write("y for yes, n for no\n");
    }
  } finally {
    asking.delete(context);
    line.close();
  }
}
