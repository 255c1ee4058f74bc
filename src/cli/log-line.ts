import { printableJson } from "../text/index.ts";

/** A line of the engine's log as an object: when, which program, what; one that is none of ours has its text alone. */
export function logLineAsJson(line: string): string {
  const [, at, source, text] = /^(\d{4}-\d\d-\d\dT[\d:.]+Z) ([\w-]+): (.*)$/s.exec(line) ?? [];
  return printableJson(text === undefined ? { text: line } : { at, source, text });
}
