/** `fastloop plan`: shows what `run` would do, why, and the expected duration. */
import { Option, type Command } from "commander";
import type { TierName } from "../../config/index.ts";
import { expectedTotalMs, selectTargets, type Reason } from "../../plan/index.ts";
import { causes, duration, painter, plural, shortDigest } from "../../report/index.ts";
import { limitsOf } from "../../run/index.ts";
import type { CliContext } from "../context.ts";
import { configFileOption } from "../loop-options.ts";
import { remembering, type OpenProject } from "../project.ts";

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
      const words = ["plan", String(context.options.json), flags.tier ?? "", ...names];
      const startedMs = performance.now();
      const { items, expectedMs } = await remembering(context, flags.config, words, (project) =>
        planOf(project, names, flags.tier, context.options.json),
      );
      if (context.options.json) {
        context.printJson({ functions: items, expectedMs, tookMs: Math.round(performance.now() - startedMs) });
        return;
      }
      const toRun = items.filter(isToRun);
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

interface PlanItem {
  name: string;
  verdict: "affected" | "current";
  digest: string;
  needs: readonly string[];
  call: string;
  reasons: Reason[];
  expectedMs: number | undefined;
}

const isToRun = ({ verdict, reasons }: PlanItem): boolean =>
  verdict === "affected" && !reasons.some(({ kind }) => kind === "untrusted");

async function planOf(
  { project, store, plan }: OpenProject,
  names: readonly string[],
  tier: TierName | undefined,
  isTimed: boolean,
): Promise<{ value: { items: PlanItem[]; expectedMs: number | undefined }; isDue: boolean }> {
  const { targets } = await selectTargets(project, { names: names.length === 0 ? undefined : names, tier });
  const { planned } = await plan();
  const asked = planned.filter(({ item }) => targets.includes(item));
  const timed = asked.filter(({ affected }) => affected || isTimed);
  const expectedOf = store.past.expected(timed.map(({ item }) => item.target.name));
  const items = asked.map(({ item, digest, affected, reasons }): PlanItem => {
    const { name, needs, call } = item.target;
    const verdict = affected ? "affected" : "current";
    return { name, verdict, digest, needs, call: call.join(" "), reasons, expectedMs: expectedOf.get(name) };
  });
  const expectedMs = expectedTotalMs(items.filter(isToRun), limitsOf(project.config.config.engine).jobs);
  return { value: { items, expectedMs }, isDue: timed.length > 0 };
}
