/**
 * Bare `fastloop`: shows the state of the project and suggests next steps. It only reads; outside of a project it
 * prints the help.
 */
import path from "node:path";
import type { Command } from "commander";
import { commandName, projectModuleFolder } from "../../call/index.ts";
import { findConfig } from "../../config/index.ts";
import { embeddedEngine } from "../../engine/index.ts";
import { UserError } from "../../errors/index.ts";
import { expectedTotalMs, placeProject } from "../../plan/index.ts";
import { painter } from "../../report/index.ts";
import { limitsOf, ProjectLock } from "../../run/index.ts";
import { commands } from "../commands.ts";
import type { CliContext } from "../context.ts";
import { configFileOption } from "../loop-options.ts";
import { suggestions, type Facts } from "../overview/next.ts";
import { renderOverview, withoutUnshown, type Overview } from "../overview/render.ts";
import { targetStates } from "../overview/state.ts";
import { remembering } from "../project.ts";

export function register(program: Command, context: CliContext): void {
  const command = program.command("overview", { hidden: true }).addOption(configFileOption());
  command.action(async ({ config }: { config?: string }) => {
    const isProject =
      config !== undefined ||
      findConfig(context.cwd) !== undefined ||
      (await projectModuleFolder({ cwd: context.cwd, moduleDir: context.options.module }).then(
        () => true,
        (error: unknown) => {
          if (error instanceof UserError) return false;
          throw error;
        },
      ));
    if (!isProject)
      return context.print(
        `${program.helpInformation()}\nThere is no fastloop.yaml here or in a folder above; \`fastloop init\` writes one.\n`,
      );
    const overview = await overviewOf(context, config);
    if (context.options.json) return context.printJson(overview);
    context.print(renderOverview(overview, painter(context.colors("stdout"))));
  });
}

/** What the files and records say, without what other processes do at the moment. */
type Found = Pick<Overview, "project" | "functions"> & Omit<Facts, "standings" | "busy" | "commands">;

async function overviewOf(context: CliContext, configFile: string | undefined): Promise<Overview> {
  const startedMs = performance.now();
  const engine = engineText(context);
  const { json } = context.options;
  const found = await remembering(context, configFile, ["overview", String(json)], async ({ project, store, plan }) => {
    const functions = targetStates((await plan({ reasonsWhenRead: true })).planned, store);
    const { config } = project.config;
    const needsOf = new Map(project.targets.map(({ target }) => [target.name, target.needs]));
    const toRun = functions
      .filter(({ state }) => state === "stale" || state === "failed")
      .map(({ name, expectedMs }) => ({ name, expectedMs, needs: needsOf.get(name) ?? [] }));
    const main = project.module.objects[project.module.mainObject]?.functions ?? {};
    const value: Found = {
      project: config.name ?? path.basename(project.root),
      functions: json ? functions : withoutUnshown(functions),
      expectedMs: expectedTotalMs(toRun, limitsOf(config.engine).jobs),
      functionNames: Object.values(main).map(commandName),
      hasServices: Object.keys(config.services ?? {}).length > 0,
      environments: Object.keys(config.deploy?.environments ?? {}),
      hasRun: store.lastEngine() !== undefined,
    };
    return { value, isDue: functions.some(({ state }) => state !== "current") };
  });
  const busy = ProjectLock.holderOf(placeProject({ cwd: context.cwd, configFile }).state);
  const next = suggestions({
    ...found,
    standings: found.functions,
    ...(busy === undefined ? {} : { busy }),
    commands: Object.keys(commands),
  });
  return {
    project: found.project,
    functions: found.functions,
    engine: await engine,
    ...(busy === undefined ? {} : { busy }),
    next,
    tookMs: Math.round(performance.now() - startedMs),
  };
}

/** Describes the embedded engine only, as asking a Dagger engine would start programs. */
async function engineText({ options, env }: CliContext): Promise<string> {
  const chosen = options.engine ?? "auto";
  if (chosen === "dagger") return "dagger";
  try {
    const engine = await embeddedEngine(options.buildkitHost);
    const status = await engine.status();
    if (status !== undefined) return `embedded, runs, ${status.sessions === 0 ? "idle" : "in use"}`;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return `embedded: ${error.message}`;
  }
  return env["DAGGER_SESSION_PORT"]
    ? "the Dagger session of the environment"
    : "none runs; one starts when it is needed";
}
