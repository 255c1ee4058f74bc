/** `fastloop plan`: shows what `run` would do, why, and the expected duration. */
import { Option, type Command } from "commander";
import type { TierName } from "../../config/index.ts";
import { expectedTotalMs, selectTargets } from "../../plan/index.ts";
import { causes, duration, painter, plural, shortDigest } from "../../report/index.ts";
import { limitsOf } from "../../run/index.ts";
import type { CliContext } from "../context.ts";
import { configFileOption } from "../loop-options.ts";
import { openProject } from "../project.ts";

export function register(program: Command, context: CliContext): void {
  program
    .command("plan [function...]")
    .summary("show what run would do, and why")
    .description(
      "Show which functions are current and which would run, in order, each with its causes. With names, show only those and what they need. Needs no engine.",
    )
    .addOption(
      new Option("--tier <tier>", "only functions of this tier and faster ones").choices(["smoke", "fast", "full"]),
    )
    .addOption(configFileOption())
    .action(async (names: string[], flags: { config?: string; tier?: TierName }) => {
      const { project, store, plan } = await openProject(context, flags.config);
      const { targets } = await selectTargets(project, {
        names: names.length === 0 ? undefined : names,
        tier: flags.tier,
      });
      const { planned, tookMs } = await plan();
      const asked = planned.filter(({ item }) => targets.includes(item));
      const isTimed = ({ affected }: { affected: boolean }): boolean => affected || context.options.json;
      const expectedOf = store.past.expected(asked.filter(isTimed).map(({ item }) => item.target.name));
      const items = asked.map(({ item, digest, affected, reasons }) => ({
        name: item.target.name,
        verdict: affected ? "affected" : "current",
        digest,
        needs: item.target.needs,
        call: item.target.call.join(" "),
        reasons,
        expectedMs: expectedOf.get(item.target.name),
      }));
      const toRun = items.filter(
        (item) => item.verdict === "affected" && !item.reasons.some(({ kind }) => kind === "untrusted"),
      );
      const expectedMs = expectedTotalMs(toRun, limitsOf(project.config.config.engine).jobs);
      if (context.options.json) {
        context.printJson({ functions: items, expectedMs, tookMs: Math.round(tookMs) });
        return;
      }
      const paint = painter(context.colors("stdout"));
      if (items.length === 0) context.notice(`no function is in the tier ${flags.tier} or a faster one`);
      const width = Math.max(...items.map((item) => item.name.length));
      for (const item of items) {
        const state =
          item.verdict === "current"
            ? paint("green", "current")
            : item.reasons.some(({ kind }) => kind === "untrusted")
              ? paint("red", "refused")
              : paint("cyan", "run    ");
        const time =
          item.verdict === "affected" && item.expectedMs !== undefined ? `  about ${duration(item.expectedMs)}` : "";
        const why = causes(item.reasons, context.options.verbose ? 1000 : 3);
        context.print(
          `${state}  ${item.name.padEnd(width)}  ${paint("dim", shortDigest(item.digest))}  ${why}${time}`.trimEnd() +
            "\n",
        );
      }
      if (toRun.length > 0 && expectedMs !== undefined)
        context.print(
          paint("dim", `${plural(toRun.length, "function")} to run, about ${duration(expectedMs)} together\n`),
        );
    });
}
