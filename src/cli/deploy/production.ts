/** Confirmation of a change of production: the user types the environment's name. */
import { createInterface } from "node:readline/promises";
import { UserError } from "../../errors/index.ts";
import { printable } from "../../text/index.ts";
import { canAsk } from "../trust/confirm.ts";
import type { CliContext } from "../context.ts";
import type { ChosenEnvironment } from "./environment.ts";

/**
 * Returns the name as typed, on the command line or now; for other environments just the value of `--yes`. Throws when
 * it does not match or nobody can be asked.
 */
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
    throw new UserError("usage", `${name} is production, and no terminal is attached to type its name at`, {
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
  throw new UserError("usage", `the input is not ${name}`, { hint: "nothing was changed" });
}
