/** Takes the words after `--`, which are another program's command line, out of a command's arguments. */
import type { Command } from "commander";

/** Makes the command ignore words after `--`; the returned function gives them once the command was parsed. */
export function wordsBehind(command: Command): () => string[] {
  const parse = command.parseOptions.bind(command);
  let behind: string[] = [];
  command.parseOptions = (words) => {
    const at = words.indexOf("--");
    behind = at < 0 ? [] : words.slice(at + 1);
    return parse(at < 0 ? words : words.slice(0, at));
  };
  return () => behind;
}
