/** The word that a change of production wants: its name, typed by somebody. */
import { createInterface } from "node:readline/promises";
import { UserError } from "../../errors/index.ts";
import { printable } from "../../text/index.ts";
import { canAsk } from "../trust/confirm.ts";
import type { CliContext } from "../context.ts";
import type { ChosenEnvironment } from "./environment.ts";

/** Gives the name as it was typed, on the command line or now; undefined where none is wanted. */
export async function productionWord(
  context: CliContext,
  { name, settings }: ChosenEnvironment,
  { yes, what, where }: { yes?: string; what: string; where: string },
): Promise<string | undefined> {
  if (settings.production !== true) return yes;
  if (yes !== undefined) {
    if (yes === name) return yes;
    throw new UserError("usage", `${name} is production, and --yes says ${printable(yes)}`, {
      place: "--yes",
      hint: `say --yes ${name} to change it; nothing was changed`,
    });
  }
  if (!canAsk(context))
    throw new UserError("usage", `${name} is production, and nobody sits at a terminal to type its name`, {
      place: "--yes",
      hint: `say --yes ${name} to change it; nothing was changed`,
    });
  const line = createInterface({ input: context.stdin, output: context.stderr });
  try {
    context.notice(`${what} ${name}: ${where}`);
    const typed = (await line.question(`Type ${name} to go on: `, { signal: context.signal })).trim();
    if (typed === name) return typed;
  } finally {
    line.close();
  }
  throw new UserError("usage", `what was typed is not ${name}`, { hint: "nothing was changed" });
}
