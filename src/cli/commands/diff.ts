/** `fastloop diff ENV`: what a deploy would change. */
import { Option, type Command } from "commander";
import type { CliContext } from "../context.ts";
import { diffEnvironment, type DiffEnvironmentFlags } from "../deploy/diff-environment.ts";
import { addClusterOptions, imageOption } from "../deploy/options.ts";

export function register(program: Command, context: CliContext): void {
  const command = program
    .command("diff")
    .argument("<environment>", "one of deploy.environments")
    .summary("show what a deploy would change")
    .description(
      "Show what a deploy would change, field by field, by a dry run on the API server. Nothing is written. Needs the cluster.",
    )
    .addOption(imageOption())
    .addOption(new Option("--exit-code", "exit with 1 where something would change"));
  addClusterOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  fastloop diff dev                      every app
  fastloop diff production --app web     one of them
  fastloop diff production --exit-code   for CI: 1 where something would change`,
    )
    .action((name: string, flags: DiffEnvironmentFlags) => diffEnvironment(context, name, flags));
}
