/** Words behind `--` that are a program's, and no arguments of the command. */
import type { Command } from "commander";

/** Makes the command leave them alone; gives them once it was parsed. */
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
