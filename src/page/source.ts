import type { PageModel } from "./model.ts";
import type { NodeDetails, PageCommand, PageHistory } from "./types.ts";

/** What the page is of: functions that are watched, or services that are up. */
export interface PageSource {
  model: PageModel;
  /** Undefined for what is no node. `run` is the id of one of its runs; the newest without it. */
  details(node: string, run?: string): NodeDetails | undefined;
  history(): PageHistory;
  /** Throws a `UserError` for what can't be done. Returns when it is begun. */
  carryOut(command: PageCommand): void;
  /** Listens no more. */
  close(): void;
}

/** So far back charts go, and not more points than that. */
export const historyDays = 30;
export const mostPoints = 5_000;
/** Runs that are offered to be looked at. */
export const shownRuns = 30;
/** A failure is shown with the end of its text. */
const failureLines = 40;

export function endOf(text: string, lines = failureLines): string {
  const all = text.trimEnd().split("\n");
  return all.length > lines ? `…\n${all.slice(-lines).join("\n")}` : all.join("\n");
}
