/** `fastloop doctor`: checks what keeps this machine from working, or from working well. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Option, type Command } from "commander";
import { loadConfig, type Config } from "../../config/index.ts";
import {
  bugReport,
  checkDocker,
  checkEngine,
  checkLock,
  checkOtherEngines,
  checkPlatforms,
  checkProxy,
  checkRegistry,
  checkState,
  machineChecks,
  registriesOf,
  renderChecks,
  thisUser,
  unknown,
  type CheckResult,
} from "../../doctor/index.ts";
import { ExitCode, UserError } from "../../errors/index.ts";
import { cacheHome, packageRoot, stateHome } from "../../paths/index.ts";
import { placeProject, type ProjectPlace } from "../../plan/index.ts";
import { painter, plural } from "../../report/index.ts";
import type { CliContext } from "../context.ts";
import { configFileOption } from "../loop-options.ts";
import { openProject } from "../project.ts";

interface DoctorFlags {
  fix?: boolean;
  report?: string | true;
  offline?: boolean;
  config?: string;
}

export function register(program: Command, context: CliContext): void {
  program
    .command("doctor")
    .summary("check this machine: engines, limits, network, leftovers")
    .description(
      "Check engines, Node, cores, memory, disk, kernel limits, file systems, clock, DNS, proxy, registries, emulation, Docker's limits, locks. For each problem, show what was expected, the consequence and what to do. Exits with 1 if something cannot work.",
    )
    .addOption(new Option("--fix", "apply the safe fixes"))
    .addOption(new Option("--report [file]", "write Markdown for a bug report, without names, paths and values"))
    .addOption(new Option("--offline", "skip checks that use the network"))
    .addOption(configFileOption())
    .addHelpText(
      "after",
      `
Examples:
  fastloop doctor                      every check, one line each
  fastloop doctor --fix                and apply safe fixes
  fastloop doctor --report report.md   to attach to an issue
  fastloop doctor --json --offline     for programs, without network`,
    )
    .action((flags: DoctorFlags) => doctor(context, flags));
}

async function doctor(context: CliContext, flags: DoctorFlags): Promise<void> {
  const place = placeProject({ cwd: context.cwd, configFile: flags.config });
  const results = await allChecks(context, flags, place);
  const repaired: string[] = [];
  if (flags.fix === true) for (const { repair } of results) if (repair !== undefined) repaired.push(await repair());
  const problems = results.filter(({ status }) => status === "problem").length;
  const warnings = results.filter(({ status }) => status === "warning").length;
  process.exitCode = problems > 0 ? ExitCode.failed : ExitCode.passed;
  const told = results.map(({ repair, ...result }) => ({
    ...result,
    ...(repair === undefined ? {} : { repairable: true }),
  }));
  if (context.options.json) return context.printJson({ checks: told, problems, warnings, repaired });
  if (flags.report !== undefined) return writeReport(context, flags.report, results, place);
  context.print(renderChecks(results, painter(context.colors("stdout"))));
  for (const text of repaired) context.print(`repaired: ${text}\n`);
  context.print(`${plural(problems, "problem")}, ${plural(warnings, "warning")}\n`);
}

async function allChecks(context: CliContext, flags: DoctorFlags, place: ProjectPlace): Promise<CheckResult[]> {
  const { env, cwd, options } = context;
  const configured = await configChecks(cwd, flags.config);
  const named = {
    engine: options.engine ?? configured.config.engine?.use ?? "auto",
    buildkitHost: options.buildkitHost,
  };
  const network = flags.offline === true ? [] : registriesOf(configured.config).map((host) => checkRegistry(host, env));
  const native = process.arch === "x64" ? "amd64" : process.arch;
  const [engine, others, docker, registries] = await Promise.all([
    checkEngine(named),
    checkOtherEngines(env),
    checkDocker(env),
    Promise.all(network),
  ]);
  return [
    ...engine,
    others,
    docker,
    ...machineChecks({
      projectFolder: place.root,
      stateFolder: existing(stateHome(env)),
      cacheFolder: existing(cacheHome(env)),
      folders: await watchedFolders(context, flags),
    }),
    ...checkPlatforms(configured.config, native),
    checkProxy(env),
    ...oneClock(registries.flat()),
    ...configured.checks,
    checkState(place.state),
    checkLock(place.state),
  ];
}

/** Keeps one clock check, though each registry yields one; says so if no registry yielded any. */
function oneClock(results: readonly CheckResult[]): CheckResult[] {
  if (results.every(({ id }) => id !== "clock"))
    return [...results, unknown("clock", "not compared: no registry was asked that tells the time")];
  return results.filter(
    ({ id }, index) => id !== "clock" || results.findIndex((other) => other.id === "clock") === index,
  );
}

async function configChecks(cwd: string, file: string | undefined): Promise<{ config: Config; checks: CheckResult[] }> {
  try {
    const { config, path: found } = await loadConfig({ cwd, file });
    return { config, checks: [{ id: "configuration", status: "ok", found: found ?? "none: defaults hold" }] };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const check: CheckResult = {
      id: "configuration",
      status: "problem",
      found: error.format().split("\n")[0] ?? "",
      expected: "a fastloop.yaml that is valid",
      impact: "no command of this project works",
      fix: "`fastloop validate` shows all that is wrong",
    };
    return { config: { version: 1 }, checks: [check] };
  }
}

/** Returns undefined when the project can't be read; other checks and commands report why. */
async function watchedFolders(context: CliContext, flags: DoctorFlags): Promise<number | undefined> {
  try {
    const { plan } = await openProject(context, flags.config);
    return (await plan()).snapshot.folders().length;
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** Returns the nearest existing folder above, which is on the same disk. */
function existing(folder: string): string {
  let at = folder;
  while (!existsSync(at) && at !== path.dirname(at)) at = path.dirname(at);
  return at;
}

function writeReport(
  context: CliContext,
  target: string | true,
  results: readonly CheckResult[],
  place: ProjectPlace,
): void {
  const { version } = JSON.parse(readFileSync(path.join(packageRoot(), "package.json"), "utf8")) as { version: string };
  const text = bugReport(results, version, thisUser(place.root));
  if (target === true) return context.print(text);
  writeFileSync(path.resolve(context.cwd, target), text);
  context.notice(`written to ${target}; look it over before you share it`);
}
