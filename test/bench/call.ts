import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { cliCommand } from "./cli.ts";
import { makeLoopProject } from "./loop-project.ts";
import { startPrivateEngine } from "./private-engine.ts";
import { runToEnd } from "./process.ts";
import { median } from "./stats.ts";
import type { Bench, Row } from "./types.ts";

/** A call whose result still holds: whole processes beside the least that a program in Node can take, in turn. */
const rounds = 20;
const warmUps = 4;
/** By files: so many times `node -e 0`. */
const aims: Record<number, number> = { 50: 2.5, 5_000: 3, 50_000: 4 };

async function measureSize(files: number): Promise<Row> {
  const base = await mkdtemp(path.join(tmpdir(), "fastloop-bench-"));
  try {
    const { root } = await makeLoopProject(base, files);
    const call = cliCommand(root, "call", "--engine", "embedded", "look");
    const node = { file: process.execPath, args: ["-e", "0"], cwd: root };
    const [callMs, nodeMs]: [number[], number[]] = [[], []];
    for (let round = 0; round < warmUps + rounds; round++) {
      const [ours, limit] = [await runToEnd(call), await runToEnd(node)];
      if (round < warmUps) continue;
      callMs.push(ours.durationMs);
      nodeMs.push(limit.durationMs);
    }
    const [value, reference] = [median(callMs), median(nodeMs)];
    const aim = aims[files];
    return {
      case: `${files.toLocaleString("en")} files: call, nothing changed, median`,
      value,
      unit: "ms",
      reference,
      ratio: value / reference,
      against: "node -e 0",
      ...(aim === undefined ? {} : { aim: `<= ${aim}x`, met: value <= aim * reference }),
    };
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

export const callBench: Bench = {
  name: "call",
  summary: "`call` with nothing changed, beside node's own start",
  run: async ({ note, words }) => {
    const engine = await startPrivateEngine(note);
    try {
      const rows: Row[] = [];
      for (const files of words.length === 0 ? Object.keys(aims).map(Number) : words.map(Number)) {
        note(`${files} files`);
        rows.push(await measureSize(files));
      }
      return rows;
    } finally {
      await engine.stop();
    }
  },
};
