/** `fastloop diff ENV`: shows what a deploy would change, by a dry run on the API server. */
import process from "node:process";
import { ExitCode } from "../../errors/index.ts";
import type { CliContext } from "../context.ts";
import { accessWords, callDeployer } from "./call-function.ts";
import { accessOf, chooseEnvironment, type ClusterFlags } from "./environment.ts";
import { given, givenAll } from "./options.ts";
import { reporting } from "./report.ts";

export interface DiffEnvironmentFlags extends ClusterFlags {
  image?: string[];
  exitCode?: boolean;
}

/** Prints the changes of each app. Sets exit code 1 for a difference if `--exit-code` was given. */
export async function diffEnvironment(context: CliContext, name: string, flags: DiffEnvironmentFlags): Promise<void> {
  const environment = await chooseEnvironment(context, name, flags);
  const report = await reporting(context, `diff ${name}`, async () => {
    const access = await accessOf(context, environment, flags);
    const words = [
      "diff",
      `--env=${name}`,
      ...accessWords(access, flags.context),
      ...given("namespace", flags.namespace),
    ];
    const chosen = [...givenAll("app", flags.app), ...givenAll("image", flags.image)];
    return callDeployer(context, environment, [...words, ...chosen], access);
  });
  if (flags.exitCode === true && report.apps.some(({ isDifferent }) => isDifferent === true))
    process.exitCode = ExitCode.failed;
}
