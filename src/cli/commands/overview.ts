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
import { expectedTotalMs } from "../../plan/index.ts";
import { painter } from "../../report/index.ts";
import { limitsOf, ProjectLock } from "../../run/index.ts";
import { commands } from "../commands.ts";
import type { CliContext } from "../context.ts";
import { configFileOption } from "../loop-options.ts";
import { suggestions } from "../overview/next.ts";
import { renderOverview, type Overview } from "../overview/render.ts";
import { targetStates } from "../overview/state.ts";
import { openProject } from "../project.ts";

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

async function overviewOf(context: CliContext, configFile: string | undefined): Promise<Overview> {
  const startedMs = performance.now();
  const { project, store, plan } = await openProject(context, configFile);
  const engine = engineText(context);
  const functions = targetStates((await plan({ reasonsWhenRead: true })).planned, store);
  const { config } = project.config;
  const toRun = functions
    .filter(({ state }) => state === "stale" || state === "failed")
    .map(({ name, expectedMs }) => ({
      name,
      expectedMs,
      needs: project.targets.find(({ target }) => target.name === name)?.target.needs ?? [],
    }));
  const busy = ProjectLock.holderOf(project.state);
  const main = project.module.objects[project.module.mainObject]?.functions ?? {};
  const next = suggestions({
    standings: functions,
    expectedMs: expectedTotalMs(toRun, limitsOf(config.engine).jobs),
    ...(busy === undefined ? {} : { busy }),
    functions: Object.values(main).map(commandName),
    commands: Object.keys(commands),
    hasServices: Object.keys(config.services ?? {}).length > 0,
    environments: Object.keys(config.deploy?.environments ?? {}),
    hasRun: store.lastEngine() !== undefined,
  });
  return {
    project: config.name ?? path.basename(project.root),
    functions,
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
