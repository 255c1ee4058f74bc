/** `fastloop deploy ENV`: applies an environment's manifests and waits until all is ready. */
import { Option, type Command } from "commander";
import type { CliContext } from "../context.ts";
import { deployOnce, type DeployFlags } from "../deploy/deploy-once.ts";
import { accessOf, chooseEnvironment } from "../deploy/environment.ts";
import { addChangeOptions, addClusterOptions, imageOption } from "../deploy/options.ts";
import { productionWord } from "../deploy/production.ts";
import { withPin } from "../deploy/pin.ts";
import { reporting } from "../deploy/report.ts";

export function register(program: Command, context: CliContext): void {
  const command = program
    .command("deploy")
    .argument("<environment>", "one of deploy.environments")
    .summary("apply an environment's manifests, and wait until all is ready")
    .description(
      "Apply an environment's manifests and wait until all is ready. The API server dry-runs everything before anything is written; unchanged objects are left alone. Needs the cluster.\n\nExit codes: 0 done, 1 failed, 2 refused and nothing changed, 3 the API server cannot be reached or trusted, 4 not ready in time.",
    )
    .addOption(imageOption())
    .addOption(
      new Option("--publish", "publish the production image first, and deploy it by digest").conflicts("image"),
    )
    .addOption(new Option("--watch", "redeploy what an edit affects, forward ports and show the pods' logs"))
    .addOption(new Option("--revision <commit>", "commit to record in the history (default: the one checked out)"));
  addChangeOptions(addClusterOptions(command))
    .addHelpText(
      "after",
      `
Examples:
  fastloop deploy dev                          every app, to a cluster of this machine
  fastloop deploy dev --watch                  again at each edit, with port forwards and logs
  fastloop deploy staging --app web --image shop/web=registry.example.com/shop/web@sha256:…
  fastloop deploy production --publish --yes production     in CI: build, push, deploy by digest`,
    )
    .action((name: string, flags: DeployFlags) => deploy(context, name, flags));
}

async function deploy(context: CliContext, name: string, flags: DeployFlags): Promise<void> {
  const environment = await chooseEnvironment(context, name, flags);
  if (flags.watch === true) {
    const { watchDeploy } = await import("../deploy/watch-deploy.ts");
    return watchDeploy(context, environment, flags);
  }
  await reporting(context, `deploy ${name}`, async () => {
    const access = await accessOf(context, environment, flags);
    const where = `${access.access.context}, ${access.access.server.host}`;
    const yes = await productionWord(context, environment, { yes: flags.yes, what: "deploy to", where });
    return withPin(context, environment, access, () => deployOnce(context, environment, flags, { access, yes }));
  });
}
