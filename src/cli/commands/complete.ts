/** `fastloop complete -- WORDS...`: what may stand in the place of the last word; asked by the shells' scripts. */
import type { Command } from "commander";
import { findModule, loadModule } from "../../module/index.ts";
import { completeCall, type Candidate } from "../call/complete-call.ts";
import { commands } from "../commands.ts";
import type { CliContext } from "../context.ts";

export function register(program: Command, context: CliContext): void {
  program
    .command("complete", { hidden: true })
    .argument("[words...]")
    .action(async (words: string[]) => {
      const candidates = await complete(words, program, context);
      context.stdout.write(candidates.map(({ word, text }) => `${word}\t${text}\n`).join(""));
    });
}

async function complete(words: string[], program: Command, context: CliContext): Promise<Candidate[]> {
  const partial = words.at(-1) ?? "";
  const name = words.slice(0, -1).find((word) => !word.startsWith("-"));
  const all = await candidatesFor(name, words, program, context);
  return all.filter(({ word }) => word.startsWith(partial));
}

async function candidatesFor(
  name: string | undefined,
  words: string[],
  program: Command,
  context: CliContext,
): Promise<Candidate[]> {
  if (name === undefined) {
    const visible = Object.entries(commands).filter(([, entry]) => entry.hidden !== true);
    return [...visible.map(([word, { summary }]) => ({ word, text: summary })), ...optionsOf(program)];
  }
  if (name === "call") {
    // Where there is no readable module there is nothing to offer.
    const module = await loadModule(findModule(context.cwd, context.options.module), context.env).catch(() => undefined);
    return module === undefined ? [] : completeCall(words.slice(words.indexOf("call") + 1, -1), words.at(-1) ?? "", module, context.cwd);
  }
  const entry = commands[name];
  if (entry === undefined) return [];
  const scratch = program.createCommand();
  (await entry.load()).register(scratch, context);
  const command = scratch.commands.find((candidate) => candidate.name() === name);
  return command === undefined ? [] : [...optionsOf(command), ...optionsOf(program)];
}

function optionsOf(command: Command): Candidate[] {
  return command.options.flatMap(({ long, description }) => (long === undefined || long === null ? [] : [{ word: long, text: description }]));
}
