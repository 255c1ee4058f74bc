/** `fastloop plan`: what `run` would do, why, and how long it took the last times. */
import { Option, type Command } from "commander";
import { causes, duration, painter, shortDigest } from "../../report/index.ts";
import type { CliContext } from "../context.ts";
import { openProject } from "../project.ts";

export function register(program: Command, context: CliContext): void {
  program
    .command("plan")
    .summary("show what run would do, and why")
    .description("Show which functions are current and which would run, in order, each with its causes.\nNeeds no engine.")
    .addOption(new Option("--config <file>", "configuration (default: the nearest fastloop.yaml upwards)"))
    .action(async (flags: { config?: string }) => {
      const { store, plan } = await openProject(context, flags.config);
      const { planned, tookMs } = plan();
      const items = planned.map(({ item, digest, verdict, reasons }) => ({
        name: item.target.name,
        verdict,
        digest,
        needs: item.target.needs,
        call: item.target.call.join(" "),
        reasons,
        expectedMs: store.expectedMs(item.target.name),
      }));
      if (context.options.json) {
        context.stdout.write(`${JSON.stringify({ functions: items, tookMs: Math.round(tookMs) })}\n`);
        return;
      }
      const paint = painter(context.colors("stdout"));
      const width = Math.max(...items.map((item) => item.name.length));
      for (const item of items) {
        const state = item.verdict === "current" ? paint("green", "current") : paint("cyan", "run    ");
        const time = item.verdict === "affected" && item.expectedMs !== undefined ? `  about ${duration(item.expectedMs)}` : "";
        const why = causes(item.reasons, context.options.verbose ? 1000 : 3);
        context.stdout.write(`${state}  ${item.name.padEnd(width)}  ${paint("dim", shortDigest(item.digest))}  ${why}${time}`.trimEnd() + "\n");
      }
    });
}
