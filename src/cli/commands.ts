/** The table of commands. A command is a file in `commands/` that exports `register`; it is loaded only when named. */
import type { Command } from "commander";
import type { CliContext } from "./context.ts";

export interface CommandModule {
  /** Adds the command to the program; its action throws `UserError` or sets `process.exitCode`. */
  register(program: Command, context: CliContext): void;
}

export interface CommandEntry {
  summary: string;
  load(): Promise<CommandModule>;
  hidden?: boolean;
}

/** In the order of the help. One line each; add yours when its file exists. */
export const commands: Record<string, CommandEntry> = {
  functions: { summary: "list the module's functions", load: () => import("./commands/functions.ts") },
};
