/** `fastloop status`: shows the services that are up. */
import type { Command } from "commander";
import { ExitCode } from "../../errors/index.ts";
import { painter, statusTable } from "../../report/index.ts";
import { notUp, statusOfUp } from "../../services/index.ts";
import type { CliContext } from "../context.ts";
import { configFileOption } from "../loop-options.ts";
import { upPlace } from "../up/project.ts";

export function register(program: Command, context: CliContext): void {
  program
    .command("status")
    .summary("show running services")
    .description("Show running services: state, ports, and why one is not healthy.")
    .addOption(configFileOption())
    .addHelpText(
      "after",
      `
Examples:
  fastloop status
  fastloop status --json | jq -e .healthy

Exit codes: 0 all healthy, 1 one is not, 2 no services are running.`,
    )
    .action(async (flags: { config?: string }) => {
      const status = await statusOfUp(upPlace(context, flags.config));
      if (status === undefined) throw notUp();
      if (context.options.json) context.printJson(status);
      else
        for (const line of statusTable(status.services, painter(context.colors("stdout")))) context.print(`${line}\n`);
      process.exitCode = status.healthy ? ExitCode.passed : ExitCode.failed;
    });
}
