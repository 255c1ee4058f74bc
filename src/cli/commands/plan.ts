/** `fastloop plan`: what `run` would do, why, and how long it took the last times. */
import { Option, type Command } from "commander";
import { expectedTotalMs } from "../../plan/index.ts";
import { causes, duration, painter, plural, shortDigest } from "../../report/index.ts";
import { limitsOf } from "../../run/index.ts";
import type { CliContext } from "../context.ts";
import { openProject } from "../project.ts";

export function register(program: Command, context: CliContext): void {
  program
    .command("plan")
    .summary("show what run would do, and why")
    .description("Show which functions are current and which would run, in order, each with its causes. Needs no engine.")
    .addOption(new Option("--config <file>", "configuration (default: the nearest fastloop.yaml upwards)"))
    .action(async (flags: { config?: string }) => {
      const { project, store, plan } = await openProject(context, flags.config);
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
      const toRun = items.filter((item) => item.verdict === "affected");
      const expectedMs = expectedTotalMs(toRun, limitsOf(project.config.config.engine).jobs);
      if (context.options.json) {
        context.stdout.write(`${JSON.stringify({ functions: items, expectedMs, tookMs: Math.round(tookMs) })}\n`);
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
      if (toRun.length > 0 && expectedMs !== undefined) context.stdout.write(paint("dim", `${plural(toRun.length, "function")} to run, about ${duration(expectedMs)} together\n`));
    });
}
