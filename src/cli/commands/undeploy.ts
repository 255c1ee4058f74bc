/** `fastloop undeploy ENV --app NAME`: removes apps from an environment. */
import type { Command } from "commander";
import { UserError } from "../../errors/index.ts";
import { headCommit } from "../../plan/index.ts";
import type { CliContext } from "../context.ts";
import { accessWords, callDeployer } from "../deploy/call-function.ts";
import { accessOf, chooseEnvironment, type ClusterFlags } from "../deploy/environment.ts";
import { addChangeOptions, addClusterOptions, given, givenAll } from "../deploy/options.ts";
import { withPin } from "../deploy/pin.ts";
import { productionWord } from "../deploy/production.ts";
import { reporting } from "../deploy/report.ts";

interface UndeployFlags extends ClusterFlags {
  yes?: string;
  timeout?: string;
}

export function register(program: Command, context: CliContext): void {
  const command = program
    .command("undeploy")
    .argument("<environment>", "one of deploy.environments")
    .summary("delete the objects of apps in an environment, except data")
    .description(
      "Delete the objects of the named apps in an environment: exactly those that their deploys created, except objects that hold data. For a custom app, run its `delete` command. Needs the cluster.",
    );
  addChangeOptions(addClusterOptions(command))
    .addHelpText(
      "after",
      `
Examples:
  fastloop undeploy dev --app web
  fastloop rollback dev --app web     and back again`,
    )
    .action((name: string, flags: UndeployFlags) => undeploy(context, name, flags));
}

async function undeploy(context: CliContext, name: string, flags: UndeployFlags): Promise<void> {
  if (flags.app === undefined)
    throw new UserError("usage", "says which apps", { place: "--app", hint: "one or more of `deploy.apps`" });
  const environment = await chooseEnvironment(context, name, flags);
  await reporting(context, `undeploy ${name}`, async () => {
    const access = await accessOf(context, environment, flags);
    const where = `${access.access.context}, ${access.access.server.host}`;
    const yes = await productionWord(context, environment, { yes: flags.yes, what: "undeploy from", where });
    const words = [
      "undeploy",
      `--env=${name}`,
      ...accessWords(access, flags.context),
      ...givenAll("app", flags.app),
      ...given("namespace", flags.namespace),
      ...given("yes", yes),
      ...given("timeout", flags.timeout),
      ...given("revision", headCommit(environment.config.root)),
    ];
    return withPin(context, environment, access, () => callDeployer(context, environment, words, access));
  });
}
