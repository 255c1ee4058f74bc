/** `fastloop affected --since REF`: lists the functions that a branch's changes affect, for CI. */
import { Option, type Command } from "commander";
import {
  affectedSince,
  changedSince,
  loadProject,
  placeProject,
  type AffectedSince,
  type planTargets,
} from "../../plan/index.ts";
import { causes } from "../../report/index.ts";
import type { CliContext } from "../context.ts";
import { configFileOption } from "../loop-options.ts";
import { ContentHasher } from "../../tree/index.ts";
import { openProject, projectOptions } from "../project.ts";
import { sayingWait } from "../waiting-line.ts";

export function register(program: Command, context: CliContext): void {
  program
    .command("affected")
    .summary("list the functions that changes affect")
    .description(
      "List the functions that changes since the merge base with a commit affect (committed, uncommitted and untracked) or, without --since, the functions that are not current. If git cannot determine the changes, list all, with the reason. Needs no engine.",
    )
    .addOption(new Option("--since <ref>", "a commit, branch or tag, e.g. origin/main"))
    .addOption(configFileOption())
    .action(async (flags: { since?: string; config?: string }) => {
      const result =
        flags.since === undefined
          ? { base: undefined, targets: notCurrent((await (await openProject(context, flags.config)).plan()).planned) }
          : await since(context, flags.since, flags.config);
      if (context.options.json) {
        context.printJson(result);
        return;
      }
      for (const { name, reasons } of result.targets) context.print(`${name}  ${causes(reasons, 3)}\n`);
      if (result.targets.length === 0) context.notice("nothing is affected");
    });
}

/** Runs git while the project is being read. */
async function since(context: CliContext, ref: string, config: string | undefined): Promise<AffectedSince> {
  const options = projectOptions(context, config);
  const changed = changedSince(placeProject(options).root, ref);
  const reading = sayingWait(context, "for the module to load", loadProject(options, new ContentHasher()));
  const [project] = await Promise.all([reading, changed]);
  return affectedSince(project, ref, changed);
}

function notCurrent(
  planned: ReturnType<typeof planTargets>,
): { name: string; reasons: ReturnType<typeof planTargets>[number]["reasons"] }[] {
  return planned.filter((plan) => plan.affected).map(({ item, reasons }) => ({ name: item.target.name, reasons }));
}
