import { rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { findExecutable } from "../../src/paths/index.ts";
import { describeEngineChoice } from "../../src/engine/index.ts";
import { cliCommand } from "./cli.ts";
import { noticeOf } from "./json-lines.ts";
import { type LoopProject, makeLoopProject } from "./loop-project.ts";
import { nowMs, RunningProgram, runToEnd } from "./process.ts";
import { median } from "./stats.ts";
import type { Bench, Report, Row } from "./types.ts";

/**
 * Edit to verdict of one function on one Dagger engine: a save while `fastloop watch` runs, `fastloop call` after a save,
 * and `dagger call` after a save. One after the other, so that none pays for another's work.
 */
const warmUps = 2;
const watchEdits = 15;
/** Each call sends the tree in a session of its own: with a large one that takes a minute on a busy machine. */
const callEdits = (files: number): number => (files > 10_000 ? 2 : 5);
/** The first call of a module has the engine build its part of the SDK. */
const timeoutMs = 600_000;
const aimedTimes = 20;

async function watchSamples(project: LoopProject, note: (text: string) => void): Promise<number[]> {
  const watch = new RunningProgram(cliCommand(project.root, "watch", "--json", "--engine", "dagger"));
  try {
    const first = await watch.waitFor((text) => noticeOf(text)?.event === "finished", timeoutMs);
    note(`  first verdict ${((first.atMs - watch.startedAtMs) / 1000).toFixed(1)} s after the start of the watch`);
    const samples: number[] = [];
    for (let edit = 0; edit < warmUps + watchEdits; edit++) {
      const content = `watch ${nowMs()}`;
      const from = watch.lines.length;
      const savedAtMs = nowMs();
      writeFileSync(project.edited, content);
      const line = await watch.waitFor(
        (text) => {
          const notice = noticeOf(text);
          if (notice?.event === "broken" || (notice?.event === "finished" && notice.outcome === "failed"))
            throw new Error(text);
          return notice?.event === "finished" && notice.value?.trim() === content;
        },
        timeoutMs,
        from,
      );
      if (edit >= warmUps) samples.push(line.atMs - savedAtMs);
    }
    return samples;
  } finally {
    await watch.stop();
  }
}

async function callSamples(
  project: LoopProject,
  edits: number,
  command: () => Parameters<typeof runToEnd>[0],
): Promise<number[]> {
  const samples: number[] = [];
  for (let edit = 0; edit < 1 + edits; edit++) {
    writeFileSync(project.edited, `call ${nowMs()}`);
    const { durationMs } = await runToEnd(command());
    if (edit > 0) samples.push(durationMs);
  }
  return samples;
}

async function measureSize(files: number, dagger: string, note: (text: string) => void): Promise<Row[]> {
  const root = await mkdtemp(path.join(tmpdir(), "fastloop-bench-"));
  try {
    const project = await makeLoopProject(root, files);
    const name = `${files.toLocaleString("en")} files`;
    note(`${name}: fastloop watch`);
    const watch = median(await watchSamples(project, note));
    note(`${name}: fastloop call`);
    const call = median(
      await callSamples(project, callEdits(files), () =>
        cliCommand(project.root, "call", "--engine", "dagger", "look"),
      ),
    );
    note(`${name}: dagger call`);
    const theirs = median(
      await callSamples(project, callEdits(files), () => ({
        file: dagger,
        args: ["--silent", "call", "look"],
        cwd: project.root,
      })),
    );
    note(
      `${name}: watch ${Math.round(watch)} ms, fastloop call ${Math.round(call)} ms, dagger call ${Math.round(theirs)} ms`,
    );
    const row = (title: string, value: number): Row => ({
      case: `${name}: ${title}`,
      value,
      unit: "ms",
      reference: theirs,
      ratio: value / theirs,
      against: "dagger call",
    });
    const aim = {
      aim: `>= ${aimedTimes} times faster; ${(theirs / watch).toFixed(1)} times:`,
      met: theirs / watch >= aimedTimes,
    };
    return [{ ...row("save to verdict in fastloop watch", watch), ...aim }, row("fastloop call after an edit", call)];
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

async function measureAll({ note, problem, words }: Report): Promise<Row[]> {
  const { choice } = await describeEngineChoice({ engine: "dagger" });
  const command = choice.kind === "dagger-cli" ? choice.command : findExecutable("dagger");
  if (command === undefined) throw new Error("no dagger CLI on the PATH to measure against");
  note(choice.reason);
  const rows: Row[] = [];
  for (const files of words.length === 0 ? [50, 5_000, 50_000] : words.map(Number)) {
    try {
      rows.push(...(await measureSize(files, command, note)));
    } catch (error) {
      problem(`${files} files: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return rows;
}

export const daggerCallBench: Bench = {
  name: "dagger-call",
  summary: "edit to verdict of one function through fastloop and through dagger call on the same Dagger engine",
  run: measureAll,
};
