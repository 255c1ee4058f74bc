import type { PlannedTarget } from "../plan/index.ts";
import { backoffMs, type Overtaken } from "./holds.ts";

/** What is said of a function whose own inputs make it stale again and again: which file does, and how to leave it out. */
export function restlessText(plan: PlannedTarget, row: Overtaken, files: readonly string[]): string {
  const { name, inputs } = plan.item.target;
  const times = row.overtaken;
  const [first] = files;
  const waits = `it waits longer before each attempt, now ${backoffMs(row) / 1000} s`;
  if (first === undefined)
    return `${name}: its inputs change during each run, ${times} times in a row by now; ${waits}`;
  const more = files.length > 1 ? ` and ${files.length - 1} more` : "";
  const line =
    inputs === undefined
      ? `watch.ignore: [${JSON.stringify(first)}]`
      : `inputs of watch.targets.${name}: ${JSON.stringify(`!${first}`)}`;
  return `${name}: ${first}${more} changes during each run, ${times} times in a row by now; ${waits}. If it does not matter, leave it out: ${line}`;
}
