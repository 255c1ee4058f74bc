import type { CommandText, Reference } from "./read.ts";

/** Returns docs/reference.md: every command with its arguments, options and examples. */
export function markdown({ program, groups }: Reference): string {
  const lines = [
    "# Reference",
    "",
    "Every command, argument and option. Generated from the commands by `node tools/generate.mjs`: edit those. `fastloop COMMAND",
    "--help` says the same, `man fastloop` too where fastloop is installed globally.",
    "",
    "## All commands",
    ...table(["option", ""], program.options),
    "",
  ];
  for (const { name, summary, commands } of groups) {
    lines.push(`## ${name}`, `${summary[0]!.toUpperCase()}${summary.slice(1)}.`, "");
    for (const command of commands) lines.push(...section(command), "");
  }
  return `${lines.join("\n").trimEnd()}\n`;
}

function section({ name, usage, description, arguments: given, options, more }: CommandText): string[] {
  return [
    `### \`${name}\``,
    "```",
    usage,
    "```",
    escaped(sentence(description)),
    ...(given.length === 0 ? [] : ["", ...table(["argument", ""], given)]),
    ...(options.length === 0 ? [] : ["", ...table(["option", ""], options)]),
    ...(more === "" ? [] : ["", "```", more, "```"]),
  ];
}

function table(head: [string, string], rows: readonly (readonly [string, string])[]): string[] {
  const row = ([term, text]: readonly [string, string]): string => `| \`${inCell(term)}\` | ${inCell(escaped(text))} |`;
  return [`| ${head[0]} | ${head[1]} |`, "|---|---|", ...rows.map(row)];
}

const sentence = (text: string): string => (text.endsWith(".") ? text : `${text}.`);
const inCell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");

/** Escapes `<name>` and `*`, which would be markup outside of code. */
function escaped(text: string): string {
  return text
    .split(/(`[^`]*`)/)
    .map((part, index) => (index % 2 === 1 ? part : part.replace(/[<>*_]/g, (character) => `\\${character}`)))
    .join("");
}
