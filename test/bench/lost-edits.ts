import { closeSync, mkdirSync, openSync, renameSync, writeFileSync, writeSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Marks, quietOutput } from "./marks.ts";
import { nowMs, type RunningProgram } from "./process.ts";
import { packageDir, probeFile, type Workspace } from "./workspace.ts";

/** Ways to save that tools are known to miss; each edit is either seen by a run or lost. */
export interface LostEdits {
  made: number;
  lost: number;
  /** Lost by kind, e.g. `burst 3/100`. */
  detail: string[];
}

const rounds = 5;
const burstPackages = 100;
/** A burst makes every package's task run: so many times the time of one edit, for all of them together. */
const burstTimeouts = 12;
/** The gap at which a second write falls into the wake of the first one's event. */
const doubleWriteGapMs = 20;

let serial = 0;
const fresh = (kind: string): string => `${kind}-${process.pid}-${serial++}`;

function atomicSave(file: string, text: string): void {
  writeFileSync(`${file}.tmp`, text);
  renameSync(`${file}.tmp`, file);
}

/** Writes through one descriptor with a truncation first, as editors do that keep the inode. */
function truncateAndWrite(file: string, text: string): void {
  const handle = openSync(file, "w");
  writeSync(handle, text);
  closeSync(handle);
}

/** Rewrites every file of the first packages at once, the probe somewhere in the middle; gives each probe's content. */
function burst(workspace: Workspace): Map<number, string> {
  const count = Math.min(burstPackages, workspace.packages);
  const sources = Math.floor(workspace.files / workspace.packages) - 2;
  const contents = new Map<number, string>();
  for (let pass = 0; pass < 2; pass++) {
    for (let index = 0; index < count; index++) {
      const content = fresh("burst");
      contents.set(index, content);
      for (let file = 0; file < sources; file++) {
        const source = `src/d${Math.floor(file / 10)}/f${file}.ts`;
        writeFileSync(path.join(workspace.root, packageDir(index), source), `// ${content}\n`);
        if (file === Math.floor(sources / 2)) writeFileSync(probeFile(workspace, index), `${content}\n`);
      }
    }
  }
  return contents;
}

/** Makes the edits under a running watch and counts those that no run has seen within `timeoutMs`. */
export async function countLostEdits(
  workspace: Workspace,
  program: RunningProgram,
  marks: Marks,
  timeoutMs: number,
): Promise<LostEdits> {
  const tally = new Map<string, { made: number; lost: number }>();
  const count = (kind: string, seen: boolean): void => {
    const entry = tally.get(kind) ?? { made: 0, lost: 0 };
    tally.set(kind, { made: entry.made + 1, lost: entry.lost + (seen ? 0 : 1) });
  };
  const settle = (): Promise<void> => quietOutput(program, 500, timeoutMs);
  const seenBy = async (index: number, content: string): Promise<boolean> =>
    (await marks.waitForContent(index, content, timeoutMs)) !== undefined;
  const ranAgain = async (index: number, before: number): Promise<boolean> =>
    (await marks.waitFor(index, (all) => all[before], timeoutMs)) !== undefined;

  for (let round = 0; round < rounds; round++) {
    const file = probeFile(workspace, 1);
    const atomic = fresh("atomic");
    atomicSave(file, `${atomic}\n`);
    count("atomic save", await seenBy(1, atomic));
    await settle();

    const twice = fresh("twice");
    truncateAndWrite(file, `${fresh("first")}\n`);
    await sleep(doubleWriteGapMs);
    truncateAndWrite(file, `${twice}\n`);
    count("two writes 20 ms apart", await seenBy(1, twice));
    await settle();

    const before = marks.of(2).length;
    const folder = path.join(workspace.root, packageDir(2), `src/new${round}/inner`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, "made.ts"), fresh("made"));
    count("mkdir -p and a file", await ranAgain(2, before));
    await settle();

    const later = marks.of(2).length;
    writeFileSync(path.join(folder, "made.ts"), fresh("later"));
    count("a later write there", await ranAgain(2, later));
    await settle();
  }

  const contents = burst(workspace);
  const deadline = nowMs() + burstTimeouts * timeoutMs;
  for (const [index, content] of contents) {
    const mark = await marks.waitForContent(index, content, Math.max(0, deadline - nowMs()));
    count("burst", mark !== undefined);
  }

  const totals = [...tally.values()];
  return {
    made: totals.reduce((sum, entry) => sum + entry.made, 0),
    lost: totals.reduce((sum, entry) => sum + entry.lost, 0),
    detail: [...tally].filter(([, entry]) => entry.lost > 0).map(([kind, { made, lost }]) => `${kind} ${lost}/${made}`),
  };
}
