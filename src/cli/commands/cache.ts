/** `fastloop cache status|clear`: shows what is kept, and deletes it by levels. */
import { rmSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline/promises";
import { Option, type Command } from "commander";
import {
  cacheClasses,
  cacheLevels,
  cacheStatus,
  classesOf,
  clearCaches,
  expectedCost,
  type CacheLevel,
  type CacheStatus,
} from "../../caches/index.ts";
import { embeddedEngine, newVolumes, volumesOf, type EmbeddedEngine } from "../../engine/index.ts";
import { UserError } from "../../errors/index.ts";
import { stateHome } from "../../paths/index.ts";
import { loadProject, placeProject, projectHasher, type Project, type ProjectPlace } from "../../plan/index.ts";
import { duration, firstOf, painter } from "../../report/index.ts";
import { History, ProjectLock } from "../../run/index.ts";
import { printable, size } from "../../text/index.ts";
import { canAsk } from "../trust/confirm.ts";
import type { CliContext } from "../context.ts";
import { configFileOption } from "../loop-options.ts";
import { trustModeOf } from "../trust/trust.ts";

interface ClearFlags {
  level: CacheLevel;
  dryRun?: boolean;
  yes?: boolean;
  config?: string;
}

const examples = `
Examples:
  fastloop cache status                 what each cache holds, and where
  fastloop cache clear                  this project's results: everything runs again, with warm layers
  fastloop cache clear --level medium   and its cache volumes: dependencies are fetched again
  fastloop cache clear --level hard --dry-run
  fastloop cache clear --level nuke     all of it, base images and programs too; asks first

Levels, each including the one before:
${cacheLevels
  .map(
    (level) =>
      `  ${level.padEnd(7)} ${classesOf(level)
        .filter((name) => cacheClasses[name].level === level)
        .map((name) => cacheClasses[name].what)
        .join("; ")}`,
  )
  .join("\n")}
Soft and medium affect only this project.`;

export function register(program: Command, context: CliContext): void {
  const cache = program
    .command("cache")
    .summary("show what caches hold, and clear them")
    .description("Show what caches hold and where, and clear them by level.")
    .addHelpText("after", examples);
  cache
    .command("status")
    .description("Show what each cache holds and where; the total matches what `du` reports.")
    .addOption(configFileOption())
    .action((flags: { config?: string }) => status(context, flags.config));
  cache
    .command("clear")
    .description("Clear caches by level; each level includes the one before.")
    .addOption(new Option("--level <level>", "what to clear").choices([...cacheLevels]).default("soft"))
    .addOption(new Option("--dry-run", "show what would be deleted, and delete nothing"))
    .addOption(new Option("-y, --yes", "do not ask before `nuke`"))
    .addOption(configFileOption())
    .addHelpText("after", examples)
    .action((flags: ClearFlags) => clear(context, flags));
}

async function status(context: CliContext, configFile: string | undefined): Promise<void> {
  const place = placeProject({ cwd: context.cwd, configFile, onNotice: context.notice });
  const engine = await embeddedEngine(context.options.buildkitHost);
  const project = await projectOf(context, configFile, place, () => {});
  const found = await cacheStatus({
    state: place.state,
    engineFolder: engine.stateDir,
    disk: await engine.disk(),
    project: volumesOf(volumesOptions(project, place), context.env),
    env: context.env,
    signal: context.signal,
  });
  if (context.options.json) return context.printJson(found);
  context.print(table(found, painter(context.colors("stdout"))));
}

function table({ rows, totalBytes }: CacheStatus, paint: ReturnType<typeof painter>): string {
  const lines = rows.flatMap(({ class: name, where, bytes, parts = [], note }) => [
    `${name.padEnd(8)} ${size(bytes).padStart(9)}  ${cacheClasses[name].level.padEnd(6)}  ${printable(where)}${note === undefined ? "" : paint("dim", `  ${note}`)}`,
    ...parts
      .toSorted((a, b) => b.bytes - a.bytes)
      .map((part) =>
        paint(
          "dim",
          `${"".padEnd(8)} ${size(part.bytes).padStart(9)}          ${part.name}${part.records ? `, ${part.records}` : ""}`,
        ),
      ),
  ]);
  return `${paint("dim", `${"".padEnd(8)} ${"on disk".padStart(9)}  goes by  where`)}\n${lines.join("\n")}\n${"all".padEnd(8)} ${size(totalBytes).padStart(9)}\n`;
}

async function clear(context: CliContext, flags: ClearFlags): Promise<void> {
  const { level } = flags;
  const place = placeProject({ cwd: context.cwd, configFile: flags.config, onNotice: context.notice });
  const classes = classesOf(level);
  const project = await projectOf(context, flags.config, place, context.notice);
  const targets = project?.targets.map(({ target }) => target.name) ?? [];
  const cost = expectedCost(new History(place.state).entries(), targets, level);
  const engine = await embeddedEngine(context.options.buildkitHost);
  if (flags.dryRun === true) {
    const told = classes.map((name) => ({
      class: name,
      what: cacheClasses[name].what,
      whose: cacheClasses[name].whose,
    }));
    if (context.options.json) return context.printJson({ level, deletes: told, expected: cost, dryRun: true });
    for (const { class: name, what, whose } of told)
      context.print(`would delete  ${name.padEnd(8)}  ${what}${whose === "everybody" ? " (of all projects)" : ""}\n`);
    context.print(costText(cost));
    return;
  }
  if (level === "nuke" && flags.yes !== true) await requireWord(context, cost);
  await refuseWhatIsOthers(context, flags, engine);
  // A function that is running would otherwise record a result whose caches are gone.
  const lock = ProjectLock.take(place.state, "fastloop cache");
  try {
    const cleared = await clearCaches(level, {
      state: place.state,
      env: context.env,
      newVolumes: () => newVolumes(volumesOptions(project, place), context.env),
      prune: () => engine.prune(),
      removeEngine: () => removeEngine(context, engine),
    });
    if (context.options.json) return context.printJson({ level, cleared, expected: cost });
    for (const { class: name, freedBytes, note } of cleared)
      context.print(
        `${name.padEnd(8)}  ${[freedBytes === undefined ? "" : `${size(freedBytes)} freed`, note ?? ""].filter(Boolean).join(", ")}\n`,
      );
    context.print(costText(cost));
  } finally {
    lock.release();
  }
}

/**
 * Returns the options that identify this project's cache volumes: those of its module, or without one those of its
 * folder.
 */
function volumesOptions(project: Project | undefined, place: ProjectPlace): Parameters<typeof newVolumes>[0] {
  if (project === undefined) return { workdir: place.root };
  const { name, sourceDir } = project.module;
  return { workdir: project.root, module: { name, sourceDir } };
}

/** Returns undefined when configuration or module can't be read: clearing caches must work especially then. */
async function projectOf(
  context: CliContext,
  configFile: string | undefined,
  { state }: ProjectPlace,
  notice: (text: string) => void,
): Promise<Project | undefined> {
  try {
    return await loadProject(
      {
        cwd: context.cwd,
        moduleDir: context.options.module,
        configFile,
        environment: context.env,
        trust: trustModeOf(context),
      },
      projectHasher(state),
    );
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    notice(`the project cannot be read (${error.message}): its cache volumes are those of the folder`);
    return undefined;
  }
}

/**
 * Throws when the engine's caches belong to others (a BuildKit that fastloop did not start) or are in use by open
 * sessions.
 */
async function refuseWhatIsOthers(
  { options }: CliContext,
  { level }: ClearFlags,
  engine: EmbeddedEngine,
): Promise<void> {
  if (!classesOf(level).includes("engine")) return;
  const now = await engine.status();
  if (now !== undefined && now.buildkit.rootDir === undefined)
    throw new UserError("usage", `the BuildKit at ${now.buildkit.address} is not fastloop's own`, {
      place: options.buildkitHost === undefined ? "BUILDKIT_HOST" : "--buildkit-host",
      hint: "clear it with buildctl prune, or use --level medium",
    });
  if (now !== undefined && now.sessions > 0)
    throw new UserError(
      "locked",
      now.sessions === 1 ? "a session is open on the engine" : `${now.sessions} sessions are open on the engine`,
      {
        hint: "end them first: what they use cannot be deleted",
      },
    );
}

async function requireWord(context: CliContext, cost: ReturnType<typeof expectedCost>): Promise<void> {
  if (!canAsk(context))
    throw new UserError("usage", "nuke deletes what all projects of this user share", {
      place: "--level nuke",
      hint: "confirm with --yes; --dry-run shows what would be deleted",
    });
  context.notice(
    `this deletes what all projects share: the engine's caches, base images, programs. ${costText(cost).trim()}`,
  );
  const line = createInterface({ input: context.stdin, output: context.stderr });
  try {
    if ((await line.question("Type nuke to go on: ", { signal: context.signal })).trim() !== "nuke")
      throw new UserError("usage", "nothing was deleted", { hint: "type nuke, or use --yes" });
  } finally {
    line.close();
  }
}

async function removeEngine(context: CliContext, engine: EmbeddedEngine): Promise<void> {
  await engine.stop(true, context.notice);
  const { stateDir } = engine;
  // Deletes only a folder that is certainly fastloop's own.
  if (path.dirname(stateDir) === stateHome(context.env) && /^engine(?:-[0-9a-f]{8})?$/.test(path.basename(stateDir)))
    rmSync(stateDir, { recursive: true, force: true });
}

function costText({ totalMs, unknown }: ReturnType<typeof expectedCost>): string {
  const told = totalMs > 0 ? `the next run of everything takes about ${duration(totalMs)}` : "";
  const open =
    unknown.length === 0
      ? ""
      : `${told === "" ? "how long the next run takes is not known" : "and longer"}: no such run of ${firstOf(unknown.map(printable), 3)} is on record`;
  const text = [told, open].filter(Boolean).join(", ");
  return text === "" ? "" : `${text}\n`;
}
