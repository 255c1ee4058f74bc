/** The commander program: global options, the table of commands, error output and exit codes. */
import process from "node:process";
import { Command, CommanderError, Help, Option } from "commander";
import { ExitCode, UserError } from "../errors/index.ts";
import { printableJson, printableLines } from "../text/index.ts";
import { commands, groups, type CommandEntry } from "./commands.ts";
import { groupHelp, mainHelp } from "./help.ts";
import { refuseOptionsAsValues } from "./options/option-values.ts";
import { applyGlobalOptions, createContext, type CliContext } from "./context.ts";

/** Parses the arguments, runs one command, flushes the output and ends the process. */
export async function runProgram(argv: string[], version: string): Promise<never> {
  const context = createContext();
  ignoreBrokenPipes(context);
  process.once("exit", (code) => tellEarlyEnd(code, context));
  const exitCode = await runCommand(argv, version, context);
  await Promise.all([flush(context.stdout), flush(context.stderr)]);
  end(exitCode);
}

let isDone = false;

function end(exitCode: number): never {
  isDone = true;
  process.exit(exitCode);
}

/**
 * A command that something else ends, or that waits for nothing, has not succeeded: an extension may call
 * `process.exit()`, and Node ends with 0 when nothing is left to wait for.
 */
function tellEarlyEnd(code: number, context: CliContext): void {
  if (isDone || code !== ExitCode.passed) return;
  const error = new UserError("config", "the process ended before the command was done", {
    hint: "a program of `extensions` that calls process.exit(), or never answers, does this",
  });
  process.exitCode = context.fail(error);
}

/** Parses and runs one command. Resolves with its exit code; errors are printed. */
export async function runCommand(argv: string[], version: string, context: CliContext): Promise<number> {
  try {
    const group = groupOfHelp(argv);
    if (group !== undefined) {
      context.print(groupHelp(group));
      return ExitCode.passed;
    }
    // `--json` is read before parsing, so that a usage error is printed in the form that was asked for.
    applyGlobalOptions(context, { json: argv.includes("--json") });
    const program = await createProgram(argv, version, context);
    await program.parseAsync(wordsToParse(argv), { from: "user" });
    return typeof process.exitCode === "number" ? process.exitCode : ExitCode.passed;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.passed : ExitCode.usage;
    return context.fail(error);
  }
}

/**
 * Creates the program. Only the command that `argv` names is loaded (or all); the others have just name and summary.
 */
export async function createProgram(
  argv: string[],
  version: string,
  context: CliContext,
  load: "named" | "all" = "named",
): Promise<Command> {
  const program = new Command("fastloop");
  program
    .description("The inner loop for pipelines that are code: watch a project, re-run only what an edit affects.")
    .usage("[options] COMMAND [ARGUMENT...]")
    .version(`fastloop ${version}`, "-V, --version", "print the version")
    .helpOption("-h, --help", "show help")
    .helpCommand("help [command]", "show help for a command")
    .enablePositionalOptions()
    .showHelpAfterError(false)
    .configureHelp({
      subcommandTerm: (command) => command.name(),
      formatHelp: (command, helper) =>
        command === program ? mainHelp(command, helper) : Help.prototype.formatHelp.call(helper, command, helper),
      // Moves the shared options behind a command's own ones, even if its only own option is the help.
      groupItems: (unsorted, visible, groupOf) => {
        const groups = new Help().groupItems(unsorted, visible, groupOf);
        const shared = groups.get(sharedOptions);
        if (shared !== undefined && groups.delete(sharedOptions)) groups.set(sharedOptions, shared);
        return groups;
      },
    })
    .configureOutput({
      writeOut: (text) => void context.stdout.write(text),
      writeErr: (text) => void context.stderr.write(text),
      outputError: (text, write) => write(asError(text, context)),
    })
    .exitOverride();
  for (const option of globalOptions()) program.addOption(option);
  const wanted = findCommand(wordsToParse(argv));
  for (const [name, entry] of Object.entries(commands)) {
    if (load === "named" && name !== wanted) addSummary(program, name, entry);
    else await addCommand(program, name, entry, context);
  }
  for (const command of program.commands) {
    inheritOptions(command);
    command.exitOverride();
    // The words of `call` and of the program of `session` may look like options; they are not checked.
    refuseAll(command, ["call", "session"].includes(command.name()));
  }
  refuseOptionsAsValues(program, true);
  program.hook("preAction", (_program, action) => {
    const chain: Command[] = [];
    for (let at: Command | null = action; at !== null; at = at.parent) chain.unshift(at);
    applyGlobalOptions(context, mergeOptions(chain));
  });
  return program;
}

function globalOptions(): Option[] {
  return [
    new Option("-C, --directory <dir>", "run as if started in this folder"),
    new Option("-m, --module <dir>", "folder of the module (default: the nearest dagger.json in this folder or above)"),
    new Option("--engine <kind>", "where functions run").choices(["auto", "embedded", "dagger"]),
    new Option("--buildkit-host <address>", "BuildKit daemon for the embedded engine"),
    new Option("--trust", "allow what the repository requests of this machine, for this command"),
    new Option("--no-trust", "allow none of it, even if it is already trusted"),
    new Option("--json", "print machine-readable output"),
    new Option("-v, --verbose", "show more detail"),
    new Option("--no-color", "never print colors"),
  ];
}

const sharedOptions = "Shared options:";

/** Gives a command the shared options that it does not define itself. */
function inheritOptions(command: Command): void {
  for (const option of globalOptions()) {
    const taken = command.options.some((own) => own.long === option.long || (own.short && own.short === option.short));
    if (!taken) command.addOption(option.helpGroup(sharedOptions));
  }
  for (const child of command.commands) inheritOptions(child);
}

function refuseAll(command: Command, stopsAtFirstWord: boolean): void {
  refuseOptionsAsValues(command, stopsAtFirstWord);
  for (const child of command.commands) refuseAll(child, stopsAtFirstWord);
}

/** Merges the options of a chain of commands: later ones win, except that `--no-color` wins anywhere. */
function mergeOptions(chain: Command[]): Record<string, unknown> {
  const merged: Record<string, unknown> = {};
  for (const command of chain) {
    for (const [key, value] of Object.entries(command.opts())) {
      if (key === "color" && merged.color === false) continue;
      merged[key] = value;
    }
  }
  return merged;
}

async function addCommand(program: Command, name: string, entry: CommandEntry, context: CliContext): Promise<void> {
  (await entry.load()).register(program, context);
  if (entry.examples === undefined) return;
  const width = Math.max(...entry.examples.map(([line]) => line.length));
  const lines = entry.examples.map(([line, what]) => `  ${line.padEnd(width)}  ${what}`.trimEnd());
  program.commands.find((command) => command.name() === name)?.addHelpText("after", `\nExamples:\n${lines.join("\n")}`);
}

function addSummary(program: Command, name: string, entry: CommandEntry): void {
  program
    .command(name, { hidden: entry.hidden === true })
    .summary(entry.summary)
    .description(entry.summary);
}

/** Returns the first word that is neither an option nor an option's value; after `help`, the next one. */
function findCommand(argv: string[]): string | undefined {
  // `--config` without a command is that of the overview.
  const takesValue = new Set([
    "--config",
    ...globalOptions()
      .filter((o) => o.required)
      .flatMap((o) => [o.short, o.long]),
  ]);
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index];
    if (word === undefined || word === "--") return undefined;
    if (takesValue.has(word)) index++;
    else if (!word.startsWith("-") && word !== "help") return word;
  }
  return undefined;
}

/** Returns the group in `fastloop help loop`, unless a command has that name. */
function groupOfHelp([first, name = "", ...more]: string[]): keyof typeof groups | undefined {
  return first === "help" && more.length === 0 && Object.hasOwn(groups, name) && !Object.hasOwn(commands, name)
    ? (name as keyof typeof groups)
    : undefined;
}

/**
 * Replaces a request for help on an unknown command by the command itself, so that its error is shown instead of the
 * general help.
 */
function wordsToParse(argv: string[]): string[] {
  const name = findCommand(argv);
  const asksForHelp = argv.some((word) => word === "help" || word === "--help" || word === "-h");
  // A bare `fastloop` shows the state of the project.
  if (name === undefined && !asksForHelp && argv.every((word) => !["-V", "--version", "--"].includes(word)))
    return ["overview", ...argv];
  return name !== undefined && asksForHelp && !Object.hasOwn(commands, name) ? [name] : argv;
}

/** Rewrites commander's messages (`error: unknown command 'wach'`, `(Did you mean watch?)`) in fastloop's form. */
function asError(text: string, context: CliContext): string {
  const [, message = text, similar] = /^(?:error: )?([^]*?)(?:\n\(Did you mean ([^]*)\))?$/.exec(text.trimEnd()) ?? [];
  const hint =
    similar !== undefined
      ? `did you mean ${similar}`
      : message.startsWith("unknown command")
        ? "`fastloop --help` lists the commands"
        : /^(?:too many arguments|missing required argument)/.test(message)
          ? "`--help` behind the command shows what it takes"
          : undefined;
  if (context.options.json)
    return `${printableJson({ error: { code: "usage", message: message.trim(), hint, exitCode: 2 } })}\n`;
  return printableLines(`error: ${message}${hint === undefined ? "" : `\nhint: ${hint}`}\n`);
}

/**
 * A reader that went away (`fastloop functions | head -1`) or a closed terminal is no error: the command is interrupted
 * and cleans up.
 */
function ignoreBrokenPipes(context: CliContext): void {
  for (const stream of [context.stdout, context.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      // Other errors, such as a full disk behind `> file`, are reported, unless stderr itself fails.
      if (error.code !== "EPIPE" && error.code !== "EIO")
        end(stream === context.stdout ? context.fail(error) : ExitCode.failed);
      if (!context.interrupt("the reader of the output is gone"))
        end(typeof process.exitCode === "number" ? process.exitCode : 0);
    });
  }
}

function flush(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write("", () => resolve()));
}
