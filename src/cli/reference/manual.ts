import type { CommandText, Reference } from "./read.ts";

/** Returns the man pages of section 1, one for the program and one for each command: file name -> text in roff. */
export function manuals(reference: Reference): Map<string, string> {
  const { version, program, groups } = reference;
  const all = groups.flatMap(({ commands }) => commands);
  const pages = new Map<string, string>();
  const listed = groups.flatMap(({ name, summary, commands }) => [
    `.SS ${roff(`${name}: ${summary}`)}`,
    ...commands.flatMap((command) => entry(`fastloop ${command.name}`, command.summary || command.description)),
  ]);
  pages.set(
    "fastloop.1",
    page("fastloop", version, { ...program, summary: "the inner loop for pipelines that are code" }, [
      ".SH COMMANDS",
      ...listed,
    ]),
  );
  for (const command of all) {
    const name = `fastloop-${command.name.replaceAll(" ", "-")}`;
    pages.set(`${name}.1`, page(name, version, command, [".SH SEE ALSO", ".BR fastloop (1)"]));
  }
  return pages;
}

function page(name: string, version: string, command: CommandText, last: readonly string[]): string {
  const { usage, summary, description, arguments: given, options, more } = command;
  const lines = [
    `.TH ${roff(name).toUpperCase()} 1 "" "fastloop ${version}" "fastloop"`,
    ".SH NAME",
    `${roff(name)} \\- ${roff(summary || description)}`,
    ".SH SYNOPSIS",
    `.B ${roff(usage)}`,
    ".SH DESCRIPTION",
    roff(description),
    ...(given.length === 0 ? [] : [".SH ARGUMENTS", ...given.flatMap(([term, text]) => entry(term, text))]),
    ".SH OPTIONS",
    ...options.flatMap(([term, text]) => entry(term, text)),
    ...(more === "" ? [] : [".SH EXAMPLES", ".nf", ...withoutTitle(more).map(roff), ".fi"]),
    ...last,
  ];
  return `${lines.join("\n")}\n`;
}

const entry = (term: string, text: string): string[] => [".TP", `.B ${roff(term)}`, roff(text)];

const withoutTitle = (text: string): string[] => text.replace(/^Examples:\n/, "").split("\n");

/** Escapes a line, so that it starts with no roff request and contains no escape. */
function roff(text: string): string {
  const line = text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replaceAll("\n", " ");
  return /^[.']/.test(line) ? `\\&${line}` : line;
}
