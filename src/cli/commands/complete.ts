/** `fastloop complete -- WORDS...`: completes the last word; called by the shells' scripts. */
import path from "node:path";
import type { Command } from "commander";
import { loadProjectModule } from "../../call/index.ts";
import { loadConfig } from "../../config/index.ts";
import { completeCall, type Candidate } from "../call/complete-call.ts";
import { commands } from "../commands.ts";
import { printable } from "../../text/index.ts";
import type { CliContext } from "../context.ts";
import { targetNames } from "../options/target-names.ts";

export function register(program: Command, context: CliContext): void {
  program
    .command("complete", { hidden: true })
    .argument("[words...]")
    .action(async (words: string[]) => {
      const candidates = await complete(words, program, context);
      context.print(candidates.map(({ word, text }) => `${printable(word)}\t${printable(text)}\n`).join(""));
    });
}

async function complete(words: string[], program: Command, context: CliContext): Promise<Candidate[]> {
  const partial = words.at(-1) ?? "";
  const name = commandOf(words.slice(0, -1), context);
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
    // A module that can't be read has nothing to offer.
    const module = await loadProjectModule({
      cwd: context.cwd,
      moduleDir: context.options.module,
      environment: context.env,
    }).catch(() => undefined);
    return module === undefined
      ? []
      : completeCall(words.slice(words.indexOf("call") + 1, -1), words.at(-1) ?? "", module, context.cwd);
  }
  const entry = commands[name];
  if (entry === undefined) return [];
  const scratch = program.createCommand();
  (await entry.load()).register(scratch, context);
  const named = scratch.commands.find((candidate) => candidate.name() === name);
  if (named === undefined) return [];
  const given = words.slice(words.indexOf(name) + 1, -1);
  const command = named.commands.find((child) => given.includes(child.name())) ?? named;
  const before = words.at(-2) ?? "";
  const option = [...command.options, ...program.options].find(
    ({ long, short }) => before !== "" && (before === long || before === short),
  );
  // After an option with a value, offer its choices; without choices, the shell completes file names.
  if (option?.required === true) return (option.argChoices ?? []).map((word) => ({ word, text: "" }));
  const below = command.commands.map((child) => ({ word: child.name(), text: child.description() }));
  return [...below, ...(await targetsOf(command, given, context)), ...optionsOf(command), ...optionsOf(program)];
}

/** Returns functions that are not named yet, for commands that take function names. */
async function targetsOf(command: Command, given: readonly string[], context: CliContext): Promise<Candidate[]> {
  const [argument] = command.registeredArguments;
  if (argument?.name() === "environment") return environmentsOf(given, context);
  if (argument?.name() !== "function") return [];
  const configFlag = given.indexOf("--config");
  // A project that can't be read has nothing to offer.
  const targets = await targetNames(context, configFlag < 0 ? undefined : given[configFlag + 1]).catch(() => []);
  if (!argument.variadic && targets.some(({ name }) => given.includes(name))) return [];
  return targets.filter(({ name }) => !given.includes(name)).map(({ name, call }) => ({ word: name, text: call }));
}

/** Returns the environments, for commands that deploy, until one is named. */
async function environmentsOf(given: readonly string[], { cwd }: CliContext): Promise<Candidate[]> {
  const { config } = await loadConfig({ cwd }).catch(() => ({ config: undefined }));
  const environments = Object.entries(config?.deploy?.environments ?? {});
  if (environments.some(([name]) => given.includes(name))) return [];
  return environments.map(([word, { context = "", production }]) => ({
    word,
    text: production === true ? `production, ${context}` : context,
  }));
}

/**
 * Returns the first word that is neither an option nor an option's value. Applies `-C` and `-m` before it to the
 * context.
 */
function commandOf(words: string[], context: CliContext): string | undefined {
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    if (word === "-C" || word === "--directory") context.cwd = path.resolve(context.cwd, words[at + 1] ?? "");
    if (word === "-m" || word === "--module") context.options.module = words[at + 1];
    if (["-C", "--directory", "-m", "--module", "--engine", "--buildkit-host"].includes(word)) at++;
    else if (!word.startsWith("-")) return word;
  }
  return undefined;
}

function optionsOf(command: Command): Candidate[] {
  return command.options.flatMap(({ long, description }) =>
    long === undefined || long === null ? [] : [{ word: long, text: description }],
  );
}
