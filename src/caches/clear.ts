/** Deletes what a level covers. */
import { rmSync } from "node:fs";
import path from "node:path";
import { cacheHome } from "../paths/index.ts";
import { PastScan } from "../plan/index.ts";
import type { ProjectState } from "../state/index.ts";
import { stateUse } from "./disk-use.ts";
import { classesOf, type CacheClass, type CacheLevel } from "./levels.ts";
import { cacheFolders, stateFolders } from "./status.ts";

export interface ClearOptions {
  state: ProjectState;
  env: NodeJS.ProcessEnv;
  /** Gives the project empty cache volumes from now on. */
  newVolumes(): void;
  /** Releases everything that the engine holds and does not use; undefined if it does not run. */
  prune(): Promise<{ freedBytes: number } | undefined>;
  /** Stops the engine and deletes its folder. */
  removeEngine(): Promise<void>;
}

export interface Cleared {
  class: CacheClass;
  freedBytes?: number;
  note?: string;
}

const anyFile = /^[\w.@-]+$/;

export async function clearCaches(level: CacheLevel, options: ClearOptions): Promise<Cleared[]> {
  const done: Cleared[] = [];
  // The engine comes last, so that an earlier failure leaves it as it is.
  for (const name of classesOf(level)) done.push(await clearClass(name, level, options));
  return done;
}

async function clearClass(name: CacheClass, level: CacheLevel, options: ClearOptions): Promise<Cleared> {
  const { state, env } = options;
  switch (name) {
    case "results":
      return { class: name, freedBytes: emptyFolders(state, stateFolders.results) };
    case "history":
      return { class: name, freedBytes: emptyFolders(state, stateFolders.history) };
    case "hashes": {
      const before = stateUse(state, ".");
      state.remove(".", ["hashes", "config.json", "results"]);
      PastScan.forget(state);
      return { class: name, freedBytes: before - stateUse(state, ".") };
    }
    case "volumes":
      options.newVolumes();
      return { class: name, note: "begin empty; the engine gives the room back when it needs it, or with `hard`" };
    case "engine": {
      if (level === "nuke") {
        await options.removeEngine();
        return { class: name, note: "the engine is stopped, and its folder deleted" };
      }
      const pruned = await options.prune();
      return pruned === undefined
        ? { class: name, note: "does not run" }
        : { class: name, freedBytes: pruned.freedBytes };
    }
    default:
      for (const folder of cacheFolders[name] ?? [])
        rmSync(path.join(cacheHome(env), folder), { recursive: true, force: true });
      return { class: name, note: "deleted" };
  }
}

/** Deletes file by file, and only names that fastloop gives; anything else stays. */
function emptyFolders(state: ProjectState, folders: (typeof stateFolders)[keyof typeof stateFolders]): number {
  return [...folders].reduce((freed, folder) => {
    const before = stateUse(state, folder);
    state.remove(folder, state.names(folder, anyFile));
    return freed + before - stateUse(state, folder);
  }, 0);
}
