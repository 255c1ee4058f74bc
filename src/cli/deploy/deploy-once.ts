/** Deploys an environment once: for `fastloop deploy`, and at each edit for `fastloop deploy --watch`. */
import type { HostAccess } from "../../deploy/index.ts";
import { headCommit } from "../../plan/index.ts";
import type { CliContext } from "../context.ts";
import { accessWords, callDeployer, type DeployReport } from "./call-function.ts";
import type { ChosenEnvironment, ClusterFlags } from "./environment.ts";
import { given, givenAll } from "./options.ts";

export interface DeployFlags extends ClusterFlags {
  image?: string[];
  publish?: boolean;
  revision?: string;
  timeout?: string;
  watch?: boolean;
  yes?: string;
}

/** Calls `deploy`, or with `--publish` `release`, which publishes the image first. */
export function deployOnce(
  context: CliContext,
  environment: ChosenEnvironment,
  flags: DeployFlags,
  {
    access,
    yes,
    apps = flags.app,
    isPlain,
  }: { access: HostAccess; yes?: string; apps?: readonly string[]; isPlain?: boolean },
): Promise<DeployReport> {
  const words = [
    flags.publish === true ? "release" : "deploy",
    `--env=${environment.name}`,
    ...accessWords(access, flags.context),
    ...given("namespace", flags.namespace),
    ...given("timeout", flags.timeout),
    ...given("yes", yes),
    ...given("revision", flags.revision ?? headCommit(environment.config.root)),
    ...givenAll("app", apps),
    ...givenAll("image", flags.image),
  ];
  return callDeployer(context, environment, words, access, isPlain);
}
