import { lstatSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { isAlive } from "./is-alive.ts";

/** As `writeFileAtomically`, the lock, the configuration's memory and the probe for file events name what they have not renamed yet. */
const draft = /(?:\.|^probe-)(\d+)(?:\.\d+\.tmp)?$/;

/** A process in another container, whose pid says nothing here, is done with a draft by then. */
const draftMs = 60_000;

/** Deletes the half-written files of processes that died while they wrote. Those of living ones are left alone. */
export function sweepDrafts(stateDir: string): void {
  for (const folder of [stateDir, ...["calls", "manifests"].map((name) => path.join(stateDir, name))]) {
    for (const name of namesIn(folder)) {
      const [, pid] = draft.exec(name) ?? [];
      if (pid === undefined || isAlive(Number(pid))) continue;
      const file = path.join(folder, name);
      try {
        if (Date.now() - lstatSync(file).mtimeMs < draftMs) continue;
        rmSync(file, { recursive: true, force: true });
      } catch {
        // A project that cannot be written to keeps them.
      }
    }
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
