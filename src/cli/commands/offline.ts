/** `fastloop offline prepare|check`: fetches and checks what the loop needs without the network. */
import type { Command } from "commander";
import { loadConfig } from "../../config/index.ts";
import { describeEngineChoice, embeddedEngine, setUpBoundary } from "../../engine/index.ts";
import { ExitCode, UserError } from "../../errors/index.ts";
import { loadProject, placeProject, projectHasher, type Project } from "../../plan/index.ts";
import { painter, plural } from "../../report/index.ts";
import { printable, size } from "../../text/index.ts";
import type { CliContext } from "../context.ts";
import { configFileOption } from "../loop-options.ts";
import { layersAndVolumes, programs, type Part } from "../offline/parts.ts";
import { tryFunctions, tryServices, type TrialOptions } from "../offline/trial.ts";
import { upPlace } from "../up/project.ts";
import { trustModeOf } from "../trust/trust.ts";

const examples = `
Examples:
  fastloop offline prepare     while online: fetch everything, then check
  fastloop offline check       show what is present and what is missing; exit code 1 if anything is
  fastloop watch --offline     continue offline`;

export function register(program: Command, context: CliContext): void {
  const offline = program
    .command("offline")
    .summary("prepare for working without the network, or check what is missing")
    .description(
      "Prepare for working without the network: the engine's programs, base images, the layers of every function of watch.targets, cache volumes, services. Runs functions to find out what they need; cached work is not repeated.",
    )
    .addHelpText("after", examples);
  offline
    .command("prepare")
    .description("Fetch what is missing, then check.")
    .addOption(configFileOption())
    .action((flags: { config?: string }) => offlineVerb(context, flags.config, true));
  offline
    .command("check")
    .description("Run everything without the network, and show what is present, with its size, and what is missing.")
    .addOption(configFileOption())
    .action((flags: { config?: string }) => offlineVerb(context, flags.config, false));
}

async function offlineVerb(context: CliContext, configFile: string | undefined, fetches: boolean): Promise<void> {
  const { signal, env, options } = context;
  await requireEmbedded(context, configFile);
  const engine = await embeddedEngine(options.buildkitHost);
  const project = await projectOf(context, configFile);
  const tried = { context, configFile };
  if (fetches) {
    await engine.start({ onNotice: context.notice, signal });
    await setUpBoundary({ onNotice: context.notice, signal });
    context.notice("with the network:");
    await tryAll(project, { ...tried, offline: false });
    context.notice("without it:");
  }
  const base = await programs(engine, env, signal);
  const lacksPrograms = base.some(({ missing }) => missing !== undefined);
  const functions = lacksPrograms ? [] : await tryAll(project, { ...tried, offline: true });
  const parts = [...base, ...(await layersAndVolumes(engine, project)), ...functions];
  report(context, parts);
}

/** Throws for a Dagger engine: it keeps its own cache, and fastloop can't cut its containers off the network. */
async function requireEmbedded({ options, cwd }: CliContext, configFile: string | undefined): Promise<void> {
  const { config } = await loadConfig({ cwd, file: configFile });
  const engine = options.engine ?? config.engine?.use ?? "auto";
  const { choice } = await describeEngineChoice({
    engine,
    ...(options.buildkitHost === undefined ? {} : { buildkitHost: options.buildkitHost }),
  });
  if (choice.kind.startsWith("buildkit")) return;
  throw new UserError("usage", `this is for the embedded engine, and ${choice.reason}`, {
    place: "fastloop offline",
    hint: "--engine embedded",
  });
}

function projectOf(context: CliContext, configFile: string | undefined): Promise<Project> {
  const { cwd, env, options, notice } = context;
  const { state } = placeProject({ cwd, configFile, onNotice: notice });
  const found = { cwd, moduleDir: options.module, configFile, environment: env, trust: trustModeOf(context) };
  return loadProject(found, projectHasher(state));
}

async function tryAll({ targets, config }: Project, tried: TrialOptions): Promise<Part[]> {
  const parts = targets.length === 0 ? [] : await tryFunctions(tried);
  if (Object.keys(config.config.services ?? {}).length === 0) return parts;
  if (upPlace(tried.context, tried.configFile).running() !== undefined)
    return [...parts, { kind: "services", name: "services", note: "they are up" }];
  return [...parts, await tryServices(tried)];
}

function report(context: CliContext, parts: readonly Part[]): void {
  const missing = parts.filter((part) => part.missing !== undefined);
  process.exitCode = missing.length === 0 ? ExitCode.passed : ExitCode.failed;
  if (context.options.json) return context.printJson({ ready: missing.length === 0, parts });
  const paint = painter(context.colors("stdout"));
  for (const part of parts) {
    const { kind, name, bytes, note = "" } = part;
    const isMissing = part.missing !== undefined;
    const state = paint(isMissing ? "red" : "green", (isMissing ? "missing" : "ready").padEnd(8));
    context.print(
      `${state} ${kind.padEnd(9)} ${size(bytes).padStart(9)}  ${printable(name)}${paint("dim", `  ${printable(part.missing ?? note)}`)}`.trimEnd() +
        "\n",
    );
  }
  context.print(
    missing.length === 0
      ? "all that the loop needs is here: `--offline` on run, watch, call, up and session does without the network\n"
      : `${plural(missing.length, "thing")} missing: \`fastloop offline prepare\` fetches what can be fetched, while there is a network\n`,
  );
}
