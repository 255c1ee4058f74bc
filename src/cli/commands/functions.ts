/** `fastloop functions`: the functions of a module, read without an engine. */
import type { Command } from "commander";
import { printableJson } from "../../text/index.ts";
import type { CliContext } from "../context.ts";
import { readModule } from "../project-module.ts";
import { renderFunctions } from "../call/render-functions.ts";

export function register(program: Command, context: CliContext): void {
  program
    .command("functions")
    .summary("list the module's functions")
    .description(
      "List the functions of a module: arguments, defaults, inputs, cache policy. Reads the sources; needs no engine.",
    )
    .addHelpText(
      "after",
      `
Examples:
  fastloop functions                 names and first lines of the docs
  fastloop functions -v              with arguments, defaults and inputs
  fastloop functions -m ../ci --json everything, for programs`,
    )
    .action(async () => {
      const module = await readModule(context);
      for (const warning of module.warnings) context.notice(`warning: ${warning}`);
      context.print(
        context.options.json ? `${printableJson(module, 2)}\n` : renderFunctions(module, context.options.verbose),
      );
    });
}
