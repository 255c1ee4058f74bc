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
  watch: { summary: "re-run what each edit affects", load: () => import("./commands/watch.ts") },
  run: { summary: "run the functions that edits affect, or those named", load: () => import("./commands/run.ts") },
  plan: { summary: "show what run would do, and why", load: () => import("./commands/plan.ts") },
  why: { summary: "say why a function would run, or why it is current", load: () => import("./commands/why.ts") },
  call: { summary: "call a function of the module, as `dagger call` does", load: () => import("./commands/call.ts") },
  functions: { summary: "list the module's functions", load: () => import("./commands/functions.ts") },
};
