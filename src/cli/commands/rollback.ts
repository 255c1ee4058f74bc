/** `fastloop rollback ENV`: applies the manifests of an earlier release again. */
import { Option, type Command } from "commander";
import { UserError } from "../../errors/index.ts";
import type { CliContext } from "../context.ts";
import { accessWords, callDeployer } from "../deploy/call-function.ts";
import { accessOf, chooseEnvironment, type ClusterFlags } from "../deploy/environment.ts";
import { addChangeOptions, addClusterOptions, given, givenAll } from "../deploy/options.ts";
import { withPin } from "../deploy/pin.ts";
import { productionWord } from "../deploy/production.ts";
import { reporting } from "../deploy/report.ts";

interface RollbackFlags extends ClusterFlags {
  to?: number;
  yes?: string;
  timeout?: string;
}

export function register(program: Command, context: CliContext): void {
  const command = program
    .command("rollback")
    .argument("<environment>", "one of deploy.environments")
    .summary("apply the manifests of an earlier release again")
    .description(
      "Apply the manifests of an earlier release again, as a new release: by default the last successful one before the current one. Needs the cluster.",
    )
    .addOption(
      new Option("--to <release>", "number of the release, as shown by `deploy-status`").argParser(releaseNumber),
    );
  addChangeOptions(addClusterOptions(command))
    .addHelpText(
      "after",
      `
Examples:
  fastloop rollback staging
  fastloop rollback production --app web --to 12`,
    )
    .action((name: string, flags: RollbackFlags) => rollback(context, name, flags));
}

async function rollback(context: CliContext, name: string, flags: RollbackFlags): Promise<void> {
  const environment = await chooseEnvironment(context, name, flags);
  await reporting(context, `rollback ${name}`, async () => {
    const access = await accessOf(context, environment, flags);
    const where = `${access.access.context}, ${access.access.server.host}`;
    const yes = await productionWord(context, environment, { yes: flags.yes, what: "rollback of", where });
    const words = ["rollback", `--env=${name}`, ...accessWords(access, flags.context), ...givenAll("app", flags.app)];
    const rest = [
      ...given("namespace", flags.namespace),
      ...given("to", flags.to),
      ...given("yes", yes),
      ...given("timeout", flags.timeout),
    ];
    return withPin(context, environment, access, () => callDeployer(context, environment, [...words, ...rest], access));
  });
}

function releaseNumber(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new UserError("usage", `not the number of a release: ${text}`, {
    place: "--to",
    hint: "`fastloop deploy-status` lists them",
  });
}
