import { rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Buildctl, buildctl, execOn, localTree } from "./buildctl.ts";
import { cliCommand } from "./cli.ts";
import { noticeOf } from "./json-lines.ts";
import { image, type LoopProject, makeLoopProject, script } from "./loop-project.ts";
import { startPrivateEngine } from "./private-engine.ts";
import { nowMs, RunningProgram } from "./process.ts";
import { startBench } from "./start.ts";
import { median, quantile } from "./stats.ts";
import type { Bench, Row } from "./types.ts";

/**
 * The main promise: from the save of a file to the printed verdict of a function that runs one trivial command in a
 * container. The limit is the same command, new each time, by `buildctl build` on the same daemon, measured between
 * the edits; it reads no tree at all. `buildctl --local` is the same with the tree sent.
 */
const edits = 20;
const warmUps = 3;
const debounceMs = 50;
const factor: Record<number, number> = { 50: 1.5, 5_000: 1.5, 50_000: 2.5 };
const timeoutMs = 120_000;
const reference = `docker.io/library/${image}`;

interface LoopSamples {
  verdictMs: number[];
  /** The body's own share, as the watch reports it: planning, debounce and printing are the rest. */
  functionMs: number[];
  limitMs: number[];
  localMs: number[];
}

/** Saves the file and waits for the line that says that the check has passed on just that content. */
async function editToVerdict(
  watch: RunningProgram,
  project: LoopProject,
): Promise<{ verdictMs: number; functionMs: number }> {
  const content = `edit ${nowMs()}`;
  const from = watch.lines.length;
  const savedAtMs = nowMs();
  writeFileSync(project.edited, content);
  let functionMs = Number.NaN;
  const line = await watch.waitFor(
    (text) => {
      const notice = noticeOf(text);
      if (notice?.event === "broken" || (notice?.event === "finished" && notice.outcome === "failed"))
        throw new Error(text);
      if (notice?.event !== "finished" || notice.value?.trim() !== content) return false;
      functionMs = notice.durationMs;
      return true;
    },
    timeoutMs,
    from,
  );
  return { verdictMs: line.atMs - savedAtMs, functionMs };
}

async function measureEdits(
  project: LoopProject,
  control: Buildctl,
  note: (text: string) => void,
): Promise<LoopSamples> {
  const samples: LoopSamples = { verdictMs: [], functionMs: [], limitMs: [], localMs: [] };
  const watch = new RunningProgram(cliCommand(project.root, "watch", "--json", "--engine", "embedded"));
  try {
    const first = await watch.waitFor((text) => noticeOf(text)?.event === "finished", timeoutMs);
    note(`first verdict ${((first.atMs - watch.startedAtMs) / 1000).toFixed(2)} s after the start of the watch`);
    for (let edit = 0; edit < warmUps + edits; edit++) {
      const { verdictMs, functionMs } = await editToVerdict(watch, project);
      const limitMs = await control.build(execOn(reference, `echo ${nowMs()}`));
      const local = { local: { bench: project.tree } };
      const localMs = await control.build(execOn(reference, script, localTree("bench")), local);
      if (edit < warmUps) continue;
      samples.verdictMs.push(verdictMs);
      samples.functionMs.push(functionMs);
      samples.limitMs.push(limitMs);
      samples.localMs.push(localMs);
    }
    return samples;
  } finally {
    await watch.stop();
  }
}

function verdictRows(files: number, samples: LoopSamples): Row[] {
  const limit = median(samples.limitMs);
  const value = median(samples.verdictMs);
  const times = factor[files] ?? 1.5;
  const name = `${files.toLocaleString("en")} files`;
  return [
    {
      case: `${name}: save to verdict, median`,
      value,
      unit: "ms",
      reference: limit,
      ratio: value / limit,
      against: "buildctl, new exec without tree",
      aim: `<= ${times} x limit + ${debounceMs} ms = ${Math.round(times * limit + debounceMs)} ms`,
      met: value <= times * limit + debounceMs,
    },
    ratioRow(`${name}: save to verdict, p95`, samples.verdictMs, samples.limitMs, 0.95, "buildctl, new exec, p95"),
    ratioRow(
      `${name}: save to verdict, median`,
      samples.verdictMs,
      samples.localMs,
      0.5,
      "buildctl --local, tree sent",
    ),
    ratioRow(`${name}: of it the function, median`, samples.functionMs, samples.limitMs, 0.5, "buildctl, new exec"),
  ];
}

function ratioRow(name: string, values: readonly number[], limits: readonly number[], q: number, against: string): Row {
  const [value, limit] = [quantile(values, q), quantile(limits, q)];
  return { case: name, value, unit: "ms", reference: limit, ratio: value / limit, against };
}

async function measureSize(files: number, address: string, note: (text: string) => void): Promise<Row[]> {
  const root = await mkdtemp(path.join(tmpdir(), "fastloop-bench-"));
  try {
    note(`${files} files`);
    const project = await makeLoopProject(root, files);
    return verdictRows(files, await measureEdits(project, buildctl(address), note));
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

export const loopBench: Bench = {
  name: "loop",
  summary: "save to printed verdict in `watch`, beside the same exec by buildctl",
  run: async (report) => {
    const { note, words } = report;
    const sizes = words.length === 0 ? [50, 5_000, 50_000] : words.map(Number);
    const engine = await startPrivateEngine(note);
    try {
      const rows: Row[] = [];
      for (const files of sizes) rows.push(...(await measureSize(files, engine.address, note)));
      return [...rows, ...(await startBench.run(report))];
    } finally {
      await engine.stop();
    }
  },
};
