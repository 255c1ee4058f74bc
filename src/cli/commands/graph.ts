/** `fastloop graph`: draws the functions and their needs. */
import { Option, type Command } from "commander";
import { renderGraph, type GraphFormat } from "../../plan/index.ts";
import type { CliContext } from "../context.ts";
import { configFileOption } from "../loop-options.ts";
import { openProject } from "../project.ts";

export function register(program: Command, context: CliContext): void {
  program
    .command("graph")
    .summary("draw the functions and what they need")
    .description("Draw the watched functions and their needs, and mark those that would run. Needs no engine.")
    .addOption(new Option("--format <kind>", "output format").choices(["text", "mermaid", "dot"]).default("text"))
    .addOption(configFileOption())
    .action(async (flags: { format: GraphFormat; config?: string }) => {
      const { plan } = await openProject(context, flags.config);
      const { planned } = await plan();
      if (!context.options.json) {
        context.print(renderGraph(planned, flags.format));
        return;
      }
      const functions = planned.map(({ item, affected }) => ({
        name: item.target.name,
        needs: item.target.needs,
        verdict: affected ? "affected" : "current",
      }));
      context.printJson({ functions });
    });
}
