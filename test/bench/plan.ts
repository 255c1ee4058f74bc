import { rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { gitSnapshot } from "./git.ts";
import { addOurSide, ours } from "./ours.ts";
import { installPeers, linkPeers, peers, type Tool } from "./peers.ts";
import { type Command, nowMs, runToEnd } from "./process.ts";
import { startPrivateEngine } from "./private-engine.ts";
import { type Aim, comparisonRows } from "./rows.ts";
import { chosen, type Size } from "./sizes.ts";
import { median } from "./stats.ts";
import type { Bench, Row } from "./types.ts";
import { makeWorkspace, probeFile, type Workspace } from "./workspace.ts";

/** What one-shot commands cost when there is nothing, or one edit, to find: whole processes, tools in turn. */
interface Measure {
  name: string;
  command(tool: Tool): ((workspace: Workspace) => Command) | undefined;
  /** An uncommitted edit is there while it is measured. */
  edited: boolean;
}

const measures: readonly Measure[] = [
  { name: "plan, nothing changed", command: (tool) => tool.plan, edited: false },
  { name: "run, nothing changed", command: (tool) => tool.noop, edited: false },
  { name: "affected by one edit of a library", command: (tool) => tool.affected, edited: true },
];

const rounds = 10;
const editedLibrary = 30;

const aims: Record<string, Record<string, Aim>> = {
  "10k": { "plan, nothing changed": { below: 150, unit: "ms" } },
  "100k": { "plan, nothing changed": { below: 700, unit: "ms" } },
};

async function sample(tools: readonly Tool[], measure: Measure, workspace: Workspace): Promise<Map<Tool, number[]>> {
  const times = new Map<Tool, number[]>();
  for (let round = 0; round <= rounds; round++) {
    for (const tool of tools) {
      const command = measure.command(tool);
      if (command === undefined) continue;
      const { durationMs } = await runToEnd(command(workspace));
      // The first round fills the caches of the system and of the tools.
      if (round > 0) times.set(tool, [...(times.get(tool) ?? []), durationMs]);
    }
  }
  return times;
}

async function measureSize(size: Size, tools: readonly Tool[], note: (text: string) => void): Promise<Row[]> {
  const base = await mkdtemp(path.join(tmpdir(), "fastloop-bench-"));
  let workspace: Workspace | undefined;
  try {
    note(`${size.name}: generating ${size.packages} packages, ${size.files} files`);
    workspace = await makeWorkspace(base, size);
    await addOurSide(workspace);
    await linkPeers(await installPeers(note), workspace);
    await gitSnapshot(workspace.root);
    for (const tool of tools) {
      const startMs = nowMs();
      await tool.prepare(workspace);
      note(`${size.name}: ${tool.name} made everything current in ${((nowMs() - startMs) / 1000).toFixed(1)} s`);
    }
    const rows: Row[] = [];
    for (const measure of measures) {
      note(`${size.name}: ${measure.name}`);
      if (measure.edited) writeFileSync(probeFile(workspace, editedLibrary), `edited ${nowMs()}\n`);
      const times = await sample(tools, measure, workspace);
      const values = [...times].map(([tool, samples]) => ({ tool: tool.name, value: median(samples) }));
      rows.push(
        ...comparisonRows(`${size.name} files: ${measure.name}`, "ms", values, aims[size.name]?.[measure.name]),
      );
    }
    return rows;
  } finally {
    for (const tool of tools) if (workspace !== undefined) await tool.finish?.(workspace).catch(() => {});
    rmSync(base, { recursive: true, force: true });
  }
}

export const planBench: Bench = {
  name: "plan",
  summary: "one-shot commands with nothing to do or one edit, beside wireit, turbo and nx",
  run: async ({ note, words }) => {
    const { sizes, tools } = chosen(
      words,
      [ours, ...peers].filter((tool) => tool.noop !== undefined),
    );
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
