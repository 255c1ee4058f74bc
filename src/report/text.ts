/** Text fragments that all reporters share. */
import type { FinishedNotice } from "../run/index.ts";
import { describeReason, type Reason } from "../plan/index.ts";
import { countsText, printable, scriptOnOneLine } from "../text/index.ts";

export type Paint = (style: "bold" | "dim" | "red" | "green" | "yellow" | "cyan", text: string) => string;

const codes = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
} as const;

/** Returns a function that colors text, or returns it unchanged without colors. */
export function painter(colors: boolean): Paint {
  return (style, text) => (colors ? `\u001b[${codes[style][0]}m${text}\u001b[${codes[style][1]}m` : text);
}

/** Formats a duration. It rounds first, so that 59.96 s are not `60.0 s`, and 119.7 s not `1 min 60 s`. */
export function duration(ms: number): string {
  if (Math.round(ms) < 1000) return `${Math.round(ms)} ms`;
  if (Math.round(ms / 100) < 600) return `${(ms / 1000).toFixed(1)} s`;
  return wholeSeconds(Math.round(ms / 1000));
}

/** Formats time that is still running in whole seconds: `59 s`, `2 min 5 s`. */
export function wholeSeconds(seconds: number): string {
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

export function shortDigest(digest: string): string {
  return digest.slice(0, 8);
}

/** Returns a step's name on one line, shortened; of a command in a shell, the script that the shell is given. */
export function shortName(name: string, longest = 120): string {
  const line = printable(scriptOnOneLine(commandOf(name)));
  return line.length <= longest ? line : `${line.slice(0, longest - 1)}…`;
}

/**
 * Returns the script of a step that runs one in a shell. In the pipelines module, the user's commands may be an
 * argument of a script of its own (see `userScript`).
 */
function commandOf(name: string): string {
  const script = /^exec sh -ec (.+)$/s.exec(name)?.[1];
  if (script === undefined)
    return /^exec sh -c start=\$\(date \+%s\)[\s;].*?\sexit \$code sh (.+)$/s.exec(name)?.[1] ?? name;
  // Two searches, since one pattern for both would scan the rest of the script again for every `eval`.
  const own = script.search(/\beval "\$1"[\s;]/);
  const end = own < 0 ? -1 : script.indexOf(endOfOwn, own);
  return end < 0 ? script : script.slice(end + endOfOwn.length) || script;
}

/** Stands between a script of the module's own and its argument: the name under which the script runs. */
const endOfOwn = " sh ";

/** Returns the first `shown` names, and the number of the others: `a, b and 3 more`. */
export function firstOf(names: readonly string[], shown: number): string {
  const rest = names.length - shown;
  return rest > 0 ? `${names.slice(0, shown).join(", ")} and ${rest} more` : names.join(", ");
}

/** Returns the first reasons in full, and the number of the others. */
export function causes(reasons: readonly Reason[], shown = 2): string {
  return firstOf(reasons.map(describeReason), shown);
}

/** Returns why a run is stale: the files that changed while it ran. */
export function movedText({ moved = [] }: Pick<FinishedNotice, "moved">): string {
  const [first, ...others] = moved;
  if (first === undefined) return "an input changed while it ran";
  return `${printable(first)}${others.length > 0 ? ` and ${others.length} more` : ""} changed while it ran`;
}

/** Number of failed tests that are named; the log has all of them. */
const namedTests = 5;

/** Returns a line for each failed test, the first ones by name. */
export function failedTestLines(tests: readonly string[] = []): string[] {
  const lines = tests.slice(0, namedTests).map((name) => `✗ ${shortName(name, 160)}`);
  return tests.length > namedTests ? [...lines, `  and ${tests.length - namedTests} more`] : lines;
}

/** Returns `297 passed`; undefined when no test runner reported anything. */
export const testsText = ({ tests }: Pick<FinishedNotice, "tests">): string | undefined =>
  tests === undefined ? undefined : countsText(tests);

/** Returns the local time of day, to the second. */
export const timeOfDay = (at: Date): string => at.toTimeString().slice(0, 8);

export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
