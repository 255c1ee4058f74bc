/** `fastloop check`: runs the module's `@check` functions, as `dagger check` does. */
import { Option, type Command } from "commander";
import type { CliContext } from "../context.ts";
import { addLoopOptions } from "../loop-options.ts";
import { checkFunctions, type CheckKinds } from "../../plan/index.ts";
import { namedChecks, printChecks } from "../options/marked-functions.ts";
import { readModule } from "../project-module.ts";
import { runOnce, type RunFlags } from "./run.ts";

export function register(program: Command, context: CliContext): void {
  const command = program
    .command("check [name...]")
    .summary("run the module's checks, as `dagger check` does")
    .description(
      "Run the module's @check functions, or only the named ones; exits with 1 if one fails. Generators are checks, too: they fail if they would change files. Current functions are not run again, except with --force. For watch.targets of fastloop.yaml, use `run`.",
    )
    .addOption(new Option("-l, --list", "list them, and run nothing"))
    .addOption(new Option("--generate", "only generators"))
    .addOption(new Option("--no-generate", "without generators"))
    .addOption(new Option("--force", "also run what is current"))
    .addOption(new Option("--format <kind>", "output format").choices(["text", "json", "github"]))
    .addOption(new Option("--junit <file>", "write the results as JUnit XML"));
  addLoopOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  fastloop check             all checks of the module
  fastloop check -l          their names and descriptions
  fastloop check smoke --force
  fastloop check 'eslint:*'  those of a toolchain`,
    )
    .action(async (names: string[], flags: RunFlags & { list?: boolean; generate?: boolean }) => {
      const checks = kindsOf(flags.generate);
      if (flags.list !== true) return runOnce(context, names, flags, { checks });
      const module = await readModule(context, { configFile: flags.config });
      printChecks(context, namedChecks(checkFunctions(module, checks), names));
    });
}

/** Maps `--generate` and `--no-generate`, which commander merges into one option that is undefined without either. */
function kindsOf(generate: boolean | undefined): CheckKinds {
  if (generate === undefined) return "all";
  return generate ? "generators" : "functions";
}
