import type { PageModel } from "./model.ts";
import type { NodeDetails, PageCommand, PageHistory } from "./types.ts";

/** Source of the page's content: functions that are watched, or services that are up. */
export interface PageSource {
  model: PageModel;
  /** Returns undefined for an unknown node. `run` is the id of one of its runs; default: the newest. */
  details(node: string, run?: string): NodeDetails | undefined;
  history(): PageHistory;
  /** Starts a command and returns. Throws a `UserError` when it can't be done. */
  carryOut(command: PageCommand): void;
  /** Unsubscribes and stops all timers. */
  close(): void;
}

/** Limits of the charts: days back, and number of points. */
export const historyDays = 30;
export const mostPoints = 5_000;
/** Number of runs that can be chosen. */
export const shownRuns = 30;
/** Number of last lines shown of a failure. */
const failureLines = 40;

/** Returns the last lines of a text, after `…` if some are left out. */
export function endOf(text: string, lines = failureLines): string {
  const all = text.trimEnd().split("\n");
  return all.length > lines ? `…\n${all.slice(-lines).join("\n")}` : all.join("\n");
}
