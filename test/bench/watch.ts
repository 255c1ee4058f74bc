import { rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { addOurSide, ours } from "./ours.ts";
import { countLostEdits, type LostEdits } from "./lost-edits.ts";
import { Marks, quietOutput } from "./marks.ts";
import { installPeers, linkPeers, peers, type Tool } from "./peers.ts";
import { family, idleUse, nowMs, RunningProgram } from "./process.ts";
import { gitSnapshot } from "./git.ts";
import { startPrivateEngine } from "./private-engine.ts";
import { comparisonRows, type Aim } from "./rows.ts";
import { chosen, type Size } from "./sizes.ts";
import { median, quantile } from "./stats.ts";
import type { Bench, Row } from "./types.ts";
import { makeWorkspace, probeFile, type Workspace } from "./workspace.ts";

/**
 * A watch of each tool on the same workspace, everything up to date at its start. The tools take turns, one round
 * each, so that a busy machine hits all alike. "Save to start" ends with the first act of the task's own command or
 * body, whatever the tool does before it (npm for turbo, nx itself for nx).
 */
interface Samples {
  readyMs: number[];
  announcedMs: number[];
  startMs: number[];
  /** The CLI's own process. */
  ownMB: number[];
  /** With its children and daemon; our engine is not among them, it is no part of a watch. */
  familyMB: number[];
  ownCpuPercent: number[];
  familyCpuPercent: number[];
  lost?: LostEdits;
}

const idlePeriodMs = 5_000;
const settledMs = 700;

const emptySamples = (): Samples => ({
  readyMs: [],
  announcedMs: [],
  startMs: [],
  ownMB: [],
  familyMB: [],
  ownCpuPercent: [],
  familyCpuPercent: [],
});

/** Packages to edit: never a library, so that one package is affected; spread over the workspace. */
const editedPackage = (workspace: Workspace, edit: number): number => {
  const index = (edit * 37 + 3) % workspace.packages;
  return index % 10 === 0 ? index + 1 : index;
};

async function oneRound(tool: Tool, workspace: Workspace, size: Size, round: number, into: Samples): Promise<void> {
  const program = new RunningProgram(tool.watch.command(workspace));
  try {
    const ready = await program.waitFor(tool.watch.readiness(workspace), size.timeoutMs);
    into.readyMs.push(ready.atMs - program.startedAtMs);
    await quietOutput(program, settledMs, size.timeoutMs);
    await sleep(settledMs);
    await measureIdle(program, workspace, into);
    const marks = new Marks(tool, program, workspace);
    for (let edit = 0; edit < size.editsPerRound; edit++) {
      const index = editedPackage(workspace, round * size.editsPerRound + edit);
      await measureEdit(tool, workspace, program, marks, index, size, into);
    }
    marks.endIsLoss = true;
    if (round === size.rounds - 1) into.lost = await countLostEdits(workspace, program, marks, size.lostAfterMs);
  } finally {
    await program.stop();
    await tool.finish?.(workspace);
  }
}

async function measureIdle(program: RunningProgram, workspace: Workspace, into: Samples): Promise<void> {
  const pids = family(program.pid, workspace.root);
  const [own, all] = await Promise.all([idleUse([program.pid], idlePeriodMs), idleUse(pids, idlePeriodMs)]);
  into.ownMB.push(own.residentMB);
  into.ownCpuPercent.push(own.cpuPercent);
  into.familyMB.push(all.residentMB);
  into.familyCpuPercent.push(all.cpuPercent);
}

async function measureEdit(
  tool: Tool,
  workspace: Workspace,
  program: RunningProgram,
  marks: Marks,
  index: number,
  size: Size,
  into: Samples,
): Promise<void> {
  const content = `edit-${round(nowMs() * 1000)}`;
  const linesBefore = program.lines.length;
  const savedAtMs = nowMs();
  writeFileSync(probeFile(workspace, index), `${content}\n`);
  const mark = await marks.waitForContent(index, content, size.lostAfterMs);
  if (mark === undefined) return;
  const startMs = tool.watch.runsEverything ? (marks.startOfAllMs() ?? mark.atMs) : mark.atMs;
  into.startMs.push(startMs - savedAtMs);
  await quietOutput(program, settledMs, size.timeoutMs);
  const { announces } = tool.watch;
  const line = program.lines.slice(linesBefore).find((printed) => announces?.(printed.text, index));
  if (line !== undefined) into.announcedMs.push(line.atMs - savedAtMs);
}

const round = (value: number): number => Math.round(value);

const aims: Record<string, Record<string, Aim>> = {
  "10k": {
    ready: { below: 150, unit: "ms" },
    "save to start": { below: 110, unit: "ms", note: "60 ms plus the quiet time of 50 ms" },
    "memory, CLI": { below: 100, unit: "MB" },
    "idle CPU, CLI": { below: 0.5, unit: "%" },
    "lost edits": { below: 0, unit: "count" },
  },
  "100k": {
    ready: { below: 1000, unit: "ms" },
    "memory, CLI": { below: 150, unit: "MB" },
    "idle CPU, CLI": { below: 0.5, unit: "%" },
    "lost edits": { below: 0, unit: "count" },
  },
};

function rowsOf(size: Size, all: ReadonlyMap<Tool, Samples>): Row[] {
  const middle = (pick: (samples: Samples) => number[]) => (samples: Samples) => median(pick(samples));
  const measures: [string, Row["unit"], (samples: Samples) => number][] = [
    ["ready", "ms", middle((s) => s.readyMs)],
    ["save to start", "ms", middle((s) => s.startMs)],
    ["save to start, p95", "ms", (s) => quantile(s.startMs, 0.95)],
    ["save to announced run", "ms", middle((s) => s.announcedMs)],
    ["memory, CLI", "MB", middle((s) => s.ownMB)],
    ["memory, with its children", "MB", middle((s) => s.familyMB)],
    ["idle CPU, CLI", "%", middle((s) => s.ownCpuPercent)],
    ["idle CPU, with its children", "%", middle((s) => s.familyCpuPercent)],
    ["lost edits", "count", (s) => s.lost?.lost ?? Number.NaN],
  ];
  return measures.flatMap(([measure, unit, value]) =>
    comparisonRows(
      `${size.name} files: ${measure}`,
      unit,
      [...all].map(([tool, samples]) => ({ tool: tool.name, value: value(samples) })),
      aims[size.name]?.[measure],
    ),
  );
}

async function measureSize(size: Size, tools: readonly Tool[], note: (text: string) => void): Promise<Row[]> {
  const base = await mkdtemp(path.join(tmpdir(), "fastloop-bench-"));
  try {
    note(`${size.name}: generating ${size.packages} packages, ${size.files} files`);
    const workspace = await makeWorkspace(base, size);
    await addOurSide(workspace);
    await linkPeers(await installPeers(note), workspace);
    await gitSnapshot(workspace.root);
    const all = new Map<Tool, Samples>(tools.map((tool) => [tool, emptySamples()]));
    for (let at = 0; at < size.rounds; at++) {
      for (const [tool, samples] of all) {
        await tool.prepare(workspace);
        await tool.finish?.(workspace);
        note(`${size.name}: round ${at + 1} of ${size.rounds}, ${tool.name}`);
        await oneRound(tool, workspace, size, at, samples);
        if (samples.lost !== undefined) {
          const { made, lost, detail } = samples.lost;
          note(
            `${size.name}: ${tool.name} lost ${lost} of ${made} edits${detail.length > 0 ? `: ${detail.join(", ")}` : ""}`,
          );
        }
      }
    }
    return rowsOf(size, all);
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

export const watchBench: Bench = {
  name: "watch",
  summary: "watch beside wireit, turbo, nx and re-runners: ready, save to start, memory, idle CPU, lost edits",
  run: async ({ note, words }) => {
    const { sizes, tools } = chosen(words, [ours, ...peers]);
    const engine = tools.includes(ours) ? await startPrivateEngine(note) : undefined;
    try {
      const rows: Row[] = [];
      for (const size of sizes) rows.push(...(await measureSize(size, tools, note)));
      return rows;
    } finally {
      await engine?.stop();
    }
  },
};
