/** Commander takes any word after an option as its value: `--since --json` would ask git for a branch `--json`. */
import type { Command, Option } from "commander";
import { isOption, missingValue } from "../../call/index.ts";

/**
 * Makes a command and its subcommands refuse an option where a value is expected; `--since=--json` still passes it as a
 * value.
 */
export function refuseOptionsAsValues(command: Command, stopsAtFirstWord: boolean): void {
  const parse = command.parseOptions.bind(command);
  command.parseOptions = (words) => {
    refuse(words, command.options, stopsAtFirstWord);
    return parse(words);
  };
}

/** Throws for the first option whose value would be another option. */
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
