/** Names with their descriptions, as `dagger functions`, `dagger check -l` and their like print them. */
import { painter } from "../../report/index.ts";
import { printable } from "../../text/index.ts";
import type { CliContext } from "../context.ts";

interface Row {
  name: string;
  description: string;
}

/** The first lines of the descriptions; `missing` stands where there is none. */
export function printNames({ print, colors }: CliContext, rows: readonly Row[], missing = ""): void {
  const paint = painter(colors("stdout"));
  const lines = rows.map(({ name, description }) => [printable(name), printable(firstLine(description) || missing)]);
  const width = Math.max("Name".length, ...lines.map(([name = ""]) => name.length)) + 3;
  print(`${paint("bold", "Name")}${" ".repeat(width - 4)}${paint("bold", "Description")}\n`);
  for (const [name = "", description = ""] of lines) print(`${`${name.padEnd(width)}${description}`.trimEnd()}\n`);
}

const firstLine = (text: string): string => text.trim().split("\n")[0] ?? "";
