/** Prints names with descriptions, as `dagger functions`, `dagger check -l` and similar commands do. */
import { painter } from "../../report/index.ts";
import { printable } from "../../text/index.ts";
import type { CliContext } from "../context.ts";

interface Row {
  name: string;
  description: string;
}

/** Prints the first line of each description, or `missing` when there is none. */
export function printNames(
  { print, colors }: CliContext,
  rows: readonly Row[],
  missing = "",
  below?: { heading: string; rows: readonly Row[] },
): void {
  const paint = painter(colors("stdout"));
  const written = (of: readonly Row[]): string[][] =>
    of.map(({ name, description }) => [printable(name), printable(firstLine(description) || missing)]);
  const [lines, more] = [written(rows), written(below?.rows ?? [])];
  const width = Math.max("Name".length, ...[...lines, ...more].map(([name = ""]) => name.length)) + 3;
  const printLine = ([name = "", description = ""]: string[]): void =>
    print(`${`${name.padEnd(width)}${description}`.trimEnd()}\n`);
  print(`${paint("bold", "Name")}${" ".repeat(width - 4)}${paint("bold", "Description")}\n`);
  lines.forEach(printLine);
  if (below !== undefined) print(`\n${paint("bold", below.heading)}\n`);
  more.forEach(printLine);
}

const firstLine = (text: string): string => text.trim().split("\n")[0] ?? "";
