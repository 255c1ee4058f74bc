/** `fastloop diff`: shows what a deploy would change, or what differs between two runs or two images. */
import { Option, type Command } from "commander";
import { loadConfig } from "../../config/index.ts";
import type { CliContext } from "../context.ts";
import type { DiffEnvironmentFlags } from "../deploy/diff-environment.ts";
import { addClusterOptions, imageOption } from "../deploy/options.ts";
import { diffOfRunsOrFiles, type DiffRunsFlags } from "../diff/diff-runs.ts";

export function register(program: Command, context: CliContext): void {
  const command = program
    .command("diff")
    .argument(
      "[before]",
      "an environment of `deploy:`; or runs: `previous` (default), FUNCTION, FUNCTION~1, an id, a baseline; or an SBOM file",
    )
    .argument("[now]", "runs: `last` (default), or as for `before`; or an SBOM file")
    .summary("show what a deploy would change, or how two runs differ")
    .description(
      "With an environment: show what a deploy would change, field by field, by a dry run on the API server, which writes nothing. Otherwise compare two runs: operations that are new, gone, have another result, are no longer in the cache, or take longer beyond noise; and their files, environment names, call, module and engine. Exits with 1 if something differs. With two SBOM files: compare packages by version.",
    )
    .addOption(
      new Option("--format <kind>", "of runs: output format").choices(["tree", "text", "json"]).default("tree"),
    )
    .addOption(
      new Option(
        "--strategy <kind>",
        "how to match operations: `set`, by name wherever they are (default); `edit`, by the shortest sequence of edits; or ./FILE, your own program",
      ),
    )
    .addOption(new Option("-a, --all", "of runs: also show what is the same"))
    .addOption(imageOption())
    .addOption(new Option("--exit-code", "of an environment: exit with 1 if something would change"));
  addClusterOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  fastloop diff dev                      what a deploy would change, every app
  fastloop diff production --app web     one of them
  fastloop diff production --exit-code   for CI: 1 if something would change
  fastloop diff                          the newest run of each function against the one before
  fastloop diff test~1 test              two runs of one function
  fastloop run --save-baseline main      save the current runs,
  fastloop diff main                     and compare with them later
  fastloop diff --strategy ./tools/by-cost.ts
  fastloop diff before.spdx.json after.spdx.json`,
    )
    .action(
      async (before: string | undefined, now: string | undefined, flags: DiffEnvironmentFlags & DiffRunsFlags) => {
        if (before !== undefined && now === undefined && (await isEnvironment(before, context, flags.config))) {
          // Sessions and deploys are two thirds of the code, and comparing runs needs neither.
          const { diffEnvironment } = await import("../deploy/diff-environment.ts");
          return diffEnvironment(context, before, flags);
        }
        return diffOfRunsOrFiles(context, before, now, flags);
      },
    );
}

/** Returns false when the configuration can't be read: comparing runs does not need one. */
async function isEnvironment(name: string, { cwd }: CliContext, file: string | undefined): Promise<boolean> {
  const loaded = await loadConfig({ cwd, file }).catch(() => undefined);
  return Object.hasOwn(loaded?.config.deploy?.environments ?? {}, name);
}
