import process from "node:process";
import { createInterface } from "node:readline/promises";
import type { CliContext } from "../context.ts";

/** Whether somebody can be asked: a terminal for the question and one for the answer, and nobody reads JSON. */
export function canAsk({ stdin, stderr, options }: CliContext): boolean {
  return stdin.isTTY && stderr.isTTY && !options.json;
}

/** Commands that wait for an answer: nothing else writes to the terminal then. */
const asking = new WeakSet<CliContext>();

export const isAsking = (context: CliContext): boolean => asking.has(context);

/** A question with yes or no on the terminal: nothing is no, and so is the end of what is typed. Anything else is asked again. */
export async function confirm(context: CliContext, question: string): Promise<boolean> {
  const { stdin, stderr, signal } = context;
  if (stdin.readableEnded) return false;
  const line = createInterface({ input: stdin, output: stderr });
  // The terminal gives the key to who reads a line, where it would end the command.
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
