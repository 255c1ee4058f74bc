/** `fastloop restart`: restarts services that are up. */
import type { Command } from "commander";
import { UserError } from "../../errors/index.ts";
import { blockersText, painter, statusTable } from "../../report/index.ts";
import { restartUp } from "../../services/index.ts";
import type { CliContext } from "../context.ts";
import { configFileOption } from "../loop-options.ts";
import { upPlace } from "../up/project.ts";

export function register(program: Command, context: CliContext): void {
  program
    .command("restart [service...]")
    .summary("restart running services")
    .description(
      "Restart services and the services that need them, in the order of their needs. Without names, restart all.",
    )
    .addOption(configFileOption())
    .addHelpText("after", "\nExamples:\n  fastloop restart api\n  fastloop restart            all of them")
    .action(async (names: string[], flags: { config?: string }) => {
      const { services, healthy, ...rest } = await restartUp(upPlace(context, flags.config), names);
      if (context.options.json) context.printJson({ ...rest, healthy, services });
      else for (const line of statusTable(services, painter(context.colors("stdout")))) context.print(`${line}\n`);
      if (!healthy) throw new UserError("function-failed", blockersText(services));
    });
}
