/** Disk use of folders, counted as `du` does: in blocks, and each file once however many names it has. */
import { lstatSync, type Stats } from "node:fs";
import path from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { namesIfThere } from "../paths/index.ts";
import type { ProjectState, StateFolderName } from "../state/index.ts";

const filesBetweenTurns = 2000;

/** Returns bytes; 0 for a missing folder. Unreadable entries count as nothing. */
export async function diskUse(folder: string, signal?: AbortSignal): Promise<number> {
  const seen = new Set<string>();
  let bytes = 0;
  let count = 0;
  const add = (stats: Stats): void => {
    const id = `${stats.dev}:${stats.ino}`;
    if (stats.nlink > 1 && !stats.isDirectory()) {
      if (seen.has(id)) return;
      seen.add(id);
    }
    bytes += stats.blocks * 512;
  };
  const first = statOf(folder);
  if (first === undefined) return 0;
  add(first);
  const open = first.isDirectory() ? [folder] : [];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    for (const name of namesIfThere(at)) {
      const file = path.join(at, name);
      const stats = statOf(file);
      if (stats === undefined) continue;
      // Mounts of running containers are other file systems.
      if (stats.dev !== first.dev) continue;
      add(stats);
      if (stats.isDirectory()) open.push(file);
      if (++count % filesBetweenTurns === 0) {
        await nextTurn();
        signal?.throwIfAborted();
      }
    }
  }
  return bytes;
}

function statOf(file: string): Stats | undefined {
  try {
    return lstatSync(file, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/**
 * Returns the bytes that the files of a state folder take; the sweep deletes nothing, as none is declared left over.
 */
export function stateUse(state: ProjectState, folder: StateFolderName): number {
  let bytes = 0;
  state.sweep(folder, /^/, (_match, stats) => {
    if (stats.isFile()) bytes += stats.blocks * 512;
    return false;
  });
  return bytes;
}
