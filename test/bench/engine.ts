import { appendFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type EngineSession, openSession } from "../../src/engine/index.ts";
import { findExecutable } from "../../src/paths/index.ts";
import { type Buildctl, buildctl, execOn } from "./buildctl.ts";
import { cliCommand } from "./cli.ts";
import { type Operation, operations, type Surroundings } from "./engine-operations.ts";
import { image, type LoopProject, makeLoopProject } from "./loop-project.ts";
import { startPrivateEngine } from "./private-engine.ts";
import { type Command, nowMs, runToEnd } from "./process.ts";
import { startRegistry } from "./registry.ts";
import { median } from "./stats.ts";
import type { Bench, Report, Row } from "./types.ts";

/**
 * Typical operations on the embedded engine, beside buildctl on the same daemon and, where the environment names a
 * Dagger engine (`_EXPERIMENTAL_DAGGER_RUNNER_HOST`, `DAGGER_SESSION_PORT`), beside a warm session with that. Each
 * round goes through all of them before the next begins.
 */
interface Figures {
  ours: number[];
  limit: number[];
  dagger: number[];
}

const aimedRatio = 1.5;

function rowsOf(name: string, { ours, limit, dagger }: Figures): Row[] {
  const value = median(ours);
  const rows: Row[] = [];
  if (limit.length > 0) {
    const reference = median(limit);
    const ratio = value / reference;
    const aim = { aim: `<= ${aimedRatio}x`, met: ratio <= aimedRatio };
    rows.push({ case: name, value, unit: "ms", reference, ratio, against: "buildctl", ...aim });
  }
  if (dagger.length > 0) {
    const reference = median(dagger);
    const ratio = value / reference;
    rows.push({
      case: name,
      value,
      unit: "ms",
      reference,
      ratio,
      against: "Dagger engine",
      aim: "<= 1x",
      met: ratio <= 1,
    });
  }
  return rows.length > 0 ? rows : [{ case: name, value, unit: "ms" }];
}

async function measure(
  operation: Operation,
  engines: { ours: EngineSession; dagger: EngineSession | undefined; control: Buildctl },
  around: Surroundings,
): Promise<Figures> {
  const figures: Figures = { ours: [], limit: [], dagger: [] };
  for (let round = 0; round < operation.rounds; round++) {
    const prepare = async (): Promise<void> => operation.prepare?.(around, round);
    await prepare();
    figures.ours.push(await operation.session(engines.ours, around, round));
    if (operation.name.endsWith("one edit")) await prepare();
    const limit = await operation.limit?.(engines.control, around, round);
    if (limit !== undefined) figures.limit.push(limit);
    if (engines.dagger === undefined) continue;
    if (operation.name.endsWith("one edit")) await prepare();
    figures.dagger.push(await operation.session(engines.dagger, around, round));
  }
  return figures;
}

const callRounds = 8;

/** A module's functions listed, as it was and after an edit of it, and one function called after an edit: whole commands. */
async function measureModule(
  project: LoopProject,
  control: Buildctl,
  dagger: boolean,
): Promise<{ load: Figures; reload: Figures; call: Figures }> {
  const load: Figures = { ours: [], limit: [], dagger: [] };
  const reload: Figures = { ours: [], limit: [], dagger: [] };
  const call: Figures = { ours: [], limit: [], dagger: [] };
  const cli = findExecutable(process.env["_EXPERIMENTAL_DAGGER_CLI_BIN"] ?? "dagger");
  const daggerCommand = (...args: string[]): Command => ({
    file: cli ?? "dagger",
    args: ["--silent", ...args],
    cwd: project.root,
  });
  const time = async (command: Command): Promise<number> => (await runToEnd(command)).durationMs;
  const functions = cliCommand(project.root, "functions");
  await time(functions);
  if (dagger && cli !== undefined) await time(daggerCommand("functions"));
  for (let round = 0; round < callRounds; round++) {
    load.ours.push(await time(functions));
    if (dagger && cli !== undefined) load.dagger.push(await time(daggerCommand("functions")));
    const editModule = (): void => appendFileSync(project.module, `// ${nowMs()}\n`);
    editModule();
    reload.ours.push(await time(functions));
    if (dagger && cli !== undefined) {
      editModule();
      reload.dagger.push(await time(daggerCommand("functions")));
    }
    // What the calls below are about is a module that is known.
    await time(functions);
    if (dagger && cli !== undefined) await time(daggerCommand("functions"));
    const edit = (): void => writeFileSync(project.edited, `edit ${nowMs()}`);
    edit();
    call.ours.push(await time(cliCommand(project.root, "call", "--engine", "embedded", "look")));
    call.limit.push(await control.build(execOn(`docker.io/library/${image}`, `echo ${nowMs()}`)));
    if (!dagger || cli === undefined) continue;
    edit();
    call.dagger.push(await time(daggerCommand("call", "look")));
  }
  return { load, reload, call };
}

const namesDagger = (): boolean =>
  [process.env["_EXPERIMENTAL_DAGGER_RUNNER_HOST"], process.env["DAGGER_SESSION_PORT"]].some(
    (value) => value !== undefined && value !== "",
  );

async function measureAll({ note, problem, words }: Report): Promise<Row[]> {
  const folder = await mkdtemp(path.join(tmpdir(), "fastloop-bench-"));
  const closing: (() => Promise<unknown>)[] = [async () => rmSync(folder, { recursive: true, force: true })];
  try {
    const engine = await startPrivateEngine(note);
    closing.push(() => engine.stop());
    const registry = await startRegistry(folder);
    closing.push(() => registry.stop());
    const ours = await openSession({ workdir: folder, engine: "embedded", onNotice: note });
    closing.push(() => ours.close());
    const dagger = namesDagger() ? await openSession({ workdir: folder, engine: "dagger", onNotice: note }) : undefined;
    if (dagger !== undefined) closing.push(() => dagger.close());
    note(dagger === undefined ? "no Dagger engine in the environment: its rows are left out" : dagger.engine.version);
    const control = buildctl(engine.address);
    const rows: Row[] = [];
    const wanted = (name: string, isLong = false): boolean =>
      words.length === 0 ? !isLong : words.some((word) => name.includes(word));
    for (const operation of operations.filter(({ name, isLong }) => wanted(name, isLong))) {
      note(operation.name);
      try {
        const figures = await measure(operation, { ours, dagger, control }, { folder, registry: registry.address });
        rows.push(...rowsOf(operation.name, figures));
      } catch (error) {
        problem(`${operation.name}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    if (!wanted("module load") && !wanted("function call")) return rows;
    note("module load, function call");
    try {
      const project = await makeLoopProject(path.join(folder, "project"), 50);
      const { load, reload, call } = await measureModule(project, control, dagger !== undefined);
      rows.push(
        ...rowsOf("module load, unchanged", load),
        ...rowsOf("module load, after an edit of it", reload),
        ...rowsOf("function call after an edit, 50 files", call),
      );
    } catch (error) {
      problem(`module load, function call: ${error instanceof Error ? error.message : String(error)}`);
    }
    return rows;
  } finally {
    for (const close of closing.reverse())
      await close().catch((error: unknown) => problem(`at the end: ${String(error)}`));
  }
}

export const engineBench: Bench = {
  name: "engine",
  summary: "typical operations on the embedded engine beside buildctl and, where there is one, a Dagger engine",
  run: measureAll,
};
