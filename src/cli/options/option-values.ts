/** Commander takes whatever follows an option for its value: `--since --json` would ask git for a branch `--json`. */
import type { Command, Option } from "commander";
import { isOption, missingValue } from "../../call/index.ts";

/** Makes the command and those below it refuse an option where a value is due; `--since=--json` says that it is meant. */
export function refuseOptionsAsValues(command: Command, stopsAtFirstWord: boolean): void {
  const parse = command.parseOptions.bind(command);
  command.parseOptions = (words) => {
    refuse(words, command.options, stopsAtFirstWord);
    return parse(words);
  };
}

/** Throws for the first option that another one follows in the place of its value. */
export function refuse(
  words: readonly string[],
  options: readonly Pick<Option, "long" | "short" | "required">[],
  stopsAtFirstWord: boolean,
): void {
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? "";
    if (word === "--") return;
    if (!word.startsWith("-") && stopsAtFirstWord) return;
    const option = options.find(({ long, short }) => word === long || word === short);
    if (option?.required !== true) continue;
    const value = words[++index];
    if (value !== undefined && isOption(value)) throw missingValue(word, value);
  }
}
