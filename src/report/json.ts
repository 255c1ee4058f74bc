import type { LoopNotice } from "../run/index.ts";

/** One JSON object a line, `event` first; for editors, dashboards and tests. */
export function jsonReporter(write: (line: string) => void, now: () => Date = () => new Date()): (notice: LoopNotice) => void {
  return ({ kind, ...rest }) => write(JSON.stringify({ event: kind, at: now().toISOString(), ...rest }));
}
