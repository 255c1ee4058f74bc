/** Renders the overview on one screen. */
import { duration, plural, shortName, type Paint } from "../../report/index.ts";
import { printable } from "../../text/index.ts";
import type { Suggestion } from "./next.ts";
import type { TargetState } from "./state.ts";

export interface Overview {
  project: string;
  functions: TargetState[];
  engine: string;
  busy?: string;
  next: Suggestion[];
  tookMs: number;
}

/** Number of functions listed for each state with their reason; current ones share a line. */
const shown = 6;
const colours = { failed: "red", refused: "red", stale: "cyan", current: "green" } as const;

/** Returns the functions without reasons that `renderOverview` does not show; determining all of them takes long. */
export function withoutUnshown(functions: readonly TargetState[]): TargetState[] {
  const counts = new Map<TargetState["state"], number>();
  return functions.map((each) => {
    const count = (counts.get(each.state) ?? 0) + 1;
    counts.set(each.state, count);
    const { name, state, expectedMs } = each;
    const why = count <= shown ? each.why : "";
    return { name, state, why, ...(expectedMs === undefined ? {} : { expectedMs }) };
  });
}

export function renderOverview({ project, functions, engine, busy, next }: Overview, paint: Paint): string {
  const lines = [`${paint("bold", printable(project))}  ${paint("dim", `engine: ${printable(engine)}`)}`];
  if (busy !== undefined) lines.push(paint("yellow", `${printable(busy)} is running here`));
  lines.push("");
  const width = Math.max(0, ...functions.filter(({ state }) => state !== "current").map(({ name }) => name.length));
  for (const state of ["failed", "refused", "stale"] as const) {
    const these = functions.filter((each) => each.state === state);
    for (const { name, why, expectedMs } of these.slice(0, shown)) {
      const time = expectedMs === undefined ? "" : paint("dim", `  about ${duration(expectedMs)}`);
      lines.push(
        `${paint(colours[state], state.padEnd(7))}  ${printable(name).padEnd(width)}  ${shortName(why, 90)}${time}`,
      );
    }
    if (these.length > shown) lines.push(`${" ".repeat(9)}and ${these.length - shown} more ${state}`);
  }
  const current = functions.filter((each) => each.state === "current").map(({ name }) => name);
  if (current.length > 0) lines.push(`${paint("green", "current")}  ${currentText(current, functions.length)}`);
  lines.push("");
  const column = Math.max(...next.map(({ command }) => command.length));
  for (const { command, why } of next)
    lines.push(`  ${printable(command).padEnd(column)}  ${paint("dim", printable(why))}`);
  return `${lines.join("\n")}\n`;
}

function currentText(names: readonly string[], all: number): string {
  if (names.length === all) return all === 1 ? printable(names[0] ?? "") : `all ${plural(all, "function")}`;
  return names.length <= shown ? names.map(printable).join(", ") : `${names.length} of ${plural(all, "function")}`;
}
