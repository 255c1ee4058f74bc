import process from "node:process";
import { createInterface } from "node:readline/promises";
import type { CliContext } from "./context.ts";

/** Whether somebody can be asked: a terminal for the question and one for the answer, and nobody reads JSON. */
export function canAsk({ stdin, stderr, options }: CliContext): boolean {
  return stdin.isTTY && stderr.isTTY && !options.json;
}

/** A question with yes or no on the terminal; everything but yes is no. */
export async function confirm({ stdin, stderr, signal }: CliContext, question: string): Promise<boolean> {
  const line = createInterface({ input: stdin, output: stderr });
  // The terminal gives the key to who reads a line, where it would end the command.
  line.on("SIGINT", () => process.kill(process.pid, "SIGINT"));
  try {
    return /^y(?:es)?$/i.test((await line.question(`${question} [y/N] `, { signal })).trim());
  } finally {
    line.close();
  }
}
