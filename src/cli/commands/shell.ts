/** `fastloop shell SERVICE`: opens a shell in a service that is up. */
import type { Command } from "commander";
import { followTerminal } from "../../engine/index.ts";
import { UserError } from "../../errors/index.ts";
import { openShell } from "../../services/index.ts";
import { userTerminal } from "../call/user-terminal.ts";
import type { CliContext } from "../context.ts";
import { configFileOption } from "../loop-options.ts";
import { upPlace } from "../up/project.ts";

export function register(program: Command, context: CliContext): void {
  program
    .command("shell")
    .summary("open a shell in a running service")
    .description("Open a shell in the container of a running service, or run another program there.")
    .usage("[options] SERVICE [-- COMMAND [ARGUMENT...]]")
    .argument("<service>")
    .argument("[command...]")
    .addOption(configFileOption())
    .addHelpText("after", "\nExamples:\n  fastloop shell api\n  fastloop shell db -- psql -U postgres")
    .action(async (service: string, command: string[], flags: { config?: string }) => {
      const terminal = userTerminal(context);
      if (terminal === undefined)
        throw new UserError("usage", "no terminal is attached", { place: "fastloop shell", hint: "run it in one" });
      const line = await openShell(upPlace(context, flags.config), service, command);
      const name = command.length === 0 ? `shell in ${service}` : command.join(" ");
      await terminal.lend(
        { name, connect: (size, onOutput) => Promise.resolve(followTerminal(line, size, onOutput)) },
        undefined,
      );
    });
}
