/** `fastloop down`: stops the services that are up. */
import type { Command } from "commander";
import { downUp, notUp } from "../../services/index.ts";
import type { CliContext } from "../context.ts";
import { configFileOption } from "../loop-options.ts";
import { upPlace } from "../up/project.ts";

/** How long the process may take to exit after it has stopped the services. */
const goneMs = 5_000;

export function register(program: Command, context: CliContext): void {
  program
    .command("down")
    .summary("stop running services")
    .description("Stop the running services, whoever started them. Their volumes stay.")
    .addOption(configFileOption())
    .addHelpText("after", "\nExamples:\n  fastloop down")
    .action(async (flags: { config?: string }) => {
      const place = upPlace(context, flags.config);
      if (place.running() === undefined) throw notUp();
      await downUp(place);
      const limit = performance.now() + goneMs;
      while (place.running() !== undefined && performance.now() < limit)
        await new Promise((resolve) => setTimeout(resolve, 20));
      if (context.options.json) context.printJson({ down: true });
      else context.print("the services are down; their volumes stay\n");
    });
}
