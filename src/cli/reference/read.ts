/**
 * Reads the commands' own descriptions as data. All documentation is generated from it, so that it can't differ from
 * the commands.
 */
import type { EventEmitter } from "node:events";
import type { Command, Help, Option } from "commander";
import { createContext } from "../context.ts";
import { commands, groups, type Group } from "../commands.ts";
import { createProgram } from "../program.ts";

export interface CommandText {
  /** Without `fastloop`: `run`, `cache clear`; empty for the program itself. */
  name: string;
  usage: string;
  summary: string;
  description: string;
  arguments: [term: string, text: string][];
  /** Own options; the shared ones are listed for the program. */
  options: [term: string, text: string][];
  /** Text after the help, mostly examples. */
  more: string;
}

export interface Reference {
  version: string;
  program: CommandText;
  groups: { name: Group; summary: string; commands: CommandText[] }[];
}

/** Reads all visible commands, with their subcommands. */
export async function readReference(version: string): Promise<Reference> {
  const program = await createProgram([], version, createContext(), "all");
  const help = program.createHelp();
  return {
    version,
    program: { ...textOf(program, help), name: "" },
    groups: (Object.keys(groups) as Group[]).map((name) => ({
      name,
      summary: groups[name],
      commands: Object.entries(commands)
        .filter(([, entry]) => entry.group === name)
        .flatMap(([command]) =>
          textsOf(
            program.commands.find((one) => one.name() === command)!,
            help,
          ),
        ),
    })),
  };
}

function textsOf(command: Command, help: Help, above = ""): CommandText[] {
  const name = `${above}${command.name()}`;
  const below = command.commands.filter((one) => one.name() !== "help");
  return [{ ...textOf(command, help), name }, ...below.flatMap((one) => textsOf(one, help, `${name} `))];
}

function textOf(command: Command, help: Help): CommandText {
  const isOwn = (option: Option): boolean => option.helpGroupHeading !== "Shared options:";
  return {
    name: command.name(),
    usage: help.commandUsage(command),
    summary: command.summary(),
    description: help.commandDescription(command),
    arguments: help.visibleArguments(command).map((one) => [one.name(), help.argumentDescription(one)]),
    options: help
      .visibleOptions(command)
      .filter(isOwn)
      .map((option) => [help.optionTerm(option), help.optionDescription(option)]),
    more: afterHelp(command),
  };
}

/** Commander stores text after the help only as listeners that write it. */
function afterHelp(command: Command): string {
  let text = "";
  (command as unknown as EventEmitter).emit("afterHelp", {
    error: false,
    command,
    write: (piece: string) => (text += piece),
  });
  return text.replace(/^\n+|\n+$/g, "");
}
