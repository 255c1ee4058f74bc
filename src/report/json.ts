import type { LoopNotice } from "../run/index.ts";
import { printableJson } from "../text/index.ts";

/** Writes one JSON object per line, with `event` first; for editors, dashboards and tests. */
export function jsonReporter(
  write: (line: string) => void,
  now: () => Date = () => new Date(),
): (notice: LoopNotice) => void {
  return ({ kind, ...rest }) => write(printableJson({ event: kind, at: now().toISOString(), ...rest }));
}
