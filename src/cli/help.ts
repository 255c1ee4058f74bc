/** Help on one screen: commands in groups, the everyday ones, and the shared options. */
import type { Command, Help } from "commander";
import { commands, groups, type Group } from "./commands.ts";

const daily: [command: string, what: string][] = [
  ["fastloop", "how the project stands, and what to do next"],
  ["fastloop watch", "re-run what each edit affects"],
  ["fastloop run", "run what is not current, once"],
  ["fastloop call FUNCTION", "call one function, as `dagger call` does"],
  ["fastloop help GROUP|COMMAND", "more about it: `help loop`, `help run`"],
];

const groupNames = Object.keys(groups) as Group[];
const inGroup = (group: Group): string[] =>
  Object.entries(commands).flatMap(([name, entry]) => (entry.group === group ? [name] : []));

export function mainHelp(program: Command, helper: Help): string {
  const width = Math.max(...groupNames.map((name) => name.length));
  const sections = [
    `Usage: ${helper.commandUsage(program)}`,
    helper.commandDescription(program),
    `Commands:\n${groupNames
      .filter((group) => inGroup(group).length > 0)
      .map((group) => `  ${group.padEnd(width)}  ${inGroup(group).join(", ")}`)
      .join("\n")}`,
    `Every day:\n${table(daily)}`,
    `Options:\n${table(helper.visibleOptions(program).map((option) => [helper.optionTerm(option), helper.optionDescription(option)]))}`,
  ];
  return `${sections.join("\n\n")}\n`;
}

/** Returns the help of a group, one command a line. */
export function groupHelp(group: Group): string {
  const rows = inGroup(group).map((name): [string, string] => [name, commands[name]?.summary ?? ""]);
  return `fastloop, ${group}: ${groups[group]}\n\n${table(rows)}\n\n\`fastloop COMMAND --help\` says more about one.\n`;
}

function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([term]) => term.length));
  return rows.map(([term, text]) => `  ${term.padEnd(width)}  ${text}`.trimEnd()).join("\n");
}
