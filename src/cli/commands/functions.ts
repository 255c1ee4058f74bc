/** `fastloop functions`: the functions of a module, read without an engine. */
import type { Command } from "commander";
import type { ModuleInfo } from "../../module/index.ts";
import { printable, printableJson } from "../../text/index.ts";
import type { CliContext } from "../context.ts";
import { configFileOption } from "../loop-options.ts";
import { readModule } from "../project-module.ts";
import { functionNames, renderFunctions } from "../call/render-functions.ts";
import { printNames } from "../options/name-table.ts";

export function register(program: Command, context: CliContext): void {
  program
    .command("functions")
    .summary("list the module's functions")
    .description(
      "List the functions of a module: arguments, defaults, inputs, cache policy. Reads the sources; needs no engine.",
    )
    .addOption(configFileOption())
    .addHelpText(
      "after",
      `
Examples:
  fastloop functions                 names and first lines of the docs, as \`dagger functions\`
  fastloop functions -v              with arguments, defaults, inputs, [check] and cache policies
  fastloop functions -m ../ci --json everything, for programs`,
    )
    .action(async (flags: { config?: string }) => {
      const module = await readModule(context, { configFile: flags.config });
      for (const warning of module.warnings) context.notice(`warning: ${printable(warning)}`);
      if (context.options.json) context.print(`${printableJson(module, 2)}\n`);
      else if (context.options.verbose) context.print(renderFunctions(module));
      else printFunctions(context, module);
    });
}

function printFunctions(context: CliContext, module: ModuleInfo): void {
  const names = functionNames(module);
  if (names.length === 0) return context.notice("No functions found.");
  printNames(context, names, "-");
}
