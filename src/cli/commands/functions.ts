/** `fastloop functions`: the functions of a module, read without an engine. */
import type { Command } from "commander";
import type { CliContext } from "../context.ts";

export function register(program: Command, context: CliContext): void {
  program
    .command("functions")
    .description("List the functions of a module: arguments, defaults, inputs, cache policy. Needs no engine.")
    .action(() => {
      context.notice("");
    });
}
