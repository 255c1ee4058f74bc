/** `fastloop run` where nothing has changed since everything was found to be current: answered without reading the project. */
import { askPast, placeProject, type Past } from "../../plan/index.ts";
import type { LoopOptions } from "../loop-options.ts";
import { History } from "./history.ts";
import { ProjectLock } from "./lock.ts";
import type { RunStore } from "./records.ts";
import type { LoopSummary } from "../summary.ts";

/** What is stored of a run that found everything current. */
interface AllCurrent {
  names: string[];
  /** Durations of the runs that were not needed, for the statistics. */
  saved: { target: string; durationMs: number }[];
}

export interface AskedRun {
  past: Past;
  words: string[];
}

/** Starts to check whether anything changed since the last run. `options` select what is run. */
export function askRun(options: LoopOptions): AskedRun {
  const { names = [], tier } = options.selection ?? {};
  const past = askPast(options, placeProject(options).state);
  return { past, words: ["run", options.command, options.via ?? "", tier ?? "", ...names] };
}

/**
 * Returns the names of the functions, all of which are current, and counts for the statistics that they were asked for;
 * undefined if the run has to find out.
 */
export async function allCurrent({ past, words }: AskedRun, options: LoopOptions): Promise<string[] | undefined> {
  const found = (await past.results.find(words)) as AllCurrent | undefined;
  if (found === undefined) return undefined;
  const { state } = placeProject(options);
  // The loop itself says who is at work.
  if (ProjectLock.holderOf(state) !== undefined) return undefined;
  const lock = ProjectLock.take(state, options.command);
  try {
    new History(state).addCurrent(found.saved, Date.now());
  } finally {
    lock.release();
  }
  return found.names;
}

/** Stores that this run, which has ended, found everything current. */
export async function keepAllCurrent({ past, words }: AskedRun, summary: LoopSummary, store: RunStore): Promise<void> {
  const { results, ...lists } = summary;
  const isAllCurrent =
    results.size === 0 && Object.entries(lists).every(([key, list]) => key === "current" || list.length === 0);
  if (!isAllCurrent || summary.current.length === 0) return;
  const value: AllCurrent = { names: [...summary.current], saved: store.savedBy(summary.current) };
  await past.results.keep(words, value, false);
}
