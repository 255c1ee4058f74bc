/** `fastloop deploy-status ENV`: shows the releases, and how the cluster differs from what was deployed. */
import type { Command } from "commander";
import type { CliContext } from "../context.ts";
import { accessWords, callDeployer } from "../deploy/call-function.ts";
import { accessOf, chooseEnvironment, type ClusterFlags } from "../deploy/environment.ts";
import { addClusterOptions, given, givenAll } from "../deploy/options.ts";
import { reporting } from "../deploy/report.ts";

export function register(program: Command, context: CliContext): void {
  const command = program
    .command("deploy-status")
    .argument("<environment>", "one of deploy.environments")
    .summary("show an environment's releases, and how the cluster differs")
    .description(
      "Show an environment's releases (who, when, commit, images, outcome), and how the cluster differs from the last one. Writes nothing. Needs the cluster.",
    );
  addClusterOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  fastloop deploy-status staging
  fastloop deploy-status production --app web --json`,
    )
    .action((name: string, flags: ClusterFlags) => status(context, name, flags));
}

async function status(context: CliContext, name: string, flags: ClusterFlags): Promise<void> {
  const environment = await chooseEnvironment(context, name, flags);
  await reporting(context, `status of ${name}`, async () => {
    const access = await accessOf(context, environment, flags);
    const words = ["deploy-status", `--env=${name}`, ...accessWords(access, flags.context)];
    const rest = [...given("namespace", flags.namespace), ...givenAll("app", flags.app)];
    return callDeployer(context, environment, [...words, ...rest], access);
  });
}
