import { htmlOfSnapshot, readAssets } from "./assets.ts";
import type { PageSource } from "./source.ts";
import type { LogLine, NodeDetails, PageSnapshot } from "./types.ts";

/** Lines kept of each log, so that the file is small enough to send. */
const linesOfOne = 1_000;
const mostCharacters = 8 * 1024 * 1024;
const spansOfOne = 300;

/** Returns all that the page shows at this moment as one read-only HTML file that needs no server. */
export function snapshotHtml(source: PageSource): string {
  const snapshot = snapshotOf(source, Date.now());
  const { project } = snapshot.state.top;
  return htmlOfSnapshot(readAssets(), `${project}: snapshot`, JSON.stringify(snapshot));
}

function snapshotOf(source: PageSource, takenMs: number): PageSnapshot {
  const { state } = source.model;
  const details: Record<string, NodeDetails> = Object.create(null) as Record<string, NodeDetails>;
  for (const { id } of state.nodes) {
    const found = source.details(id);
    if (found !== undefined) details[id] = { ...found, spans: found.spans.slice(0, spansOfOne) };
  }
  const nodes = state.nodes.map((node) => ({ ...node, can: [] }));
  return {
    takenMs,
    state: { ...state, nodes },
    lines: lastLines(source.model.logs.after(0)),
    history: source.history(),
    details,
  };
}

function lastLines(lines: readonly LogLine[]): LogLine[] {
  const counts = new Map<string, number>();
  const kept: LogLine[] = [];
  let characters = 0;
  for (let index = lines.length - 1; index >= 0; index--) {
    const line = lines[index]!;
    const count = (counts.get(line[1]) ?? 0) + 1;
    counts.set(line[1], count);
    if (count > linesOfOne) continue;
    characters += line[4].length;
    if (characters > mostCharacters) break;
    kept.push(line);
  }
  return kept.reverse();
}
