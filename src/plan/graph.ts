import type { PlannedTarget } from "./planner.ts";

export type GraphFormat = "text" | "mermaid" | "dot" | "svg";

interface Node {
  name: string;
  needs: readonly string[];
  affected: boolean;
}

/** The targets and what they need, affected ones marked. */
export function renderGraph(planned: readonly PlannedTarget[], format: GraphFormat): string {
  const nodes = planned.map(({ item, verdict }): Node => ({
    name: item.target.name,
    needs: item.target.needs,
    affected: verdict === "affected",
  }));
  switch (format) {
    case "text":
      return text(nodes);
    case "mermaid":
      return mermaid(nodes);
    case "dot":
      return dot(nodes);
    case "svg":
      return svg(nodes);
  }
}

function text(nodes: readonly Node[]): string {
  const lines: string[] = [];
  const dependents = (name: string): Node[] => nodes.filter((node) => node.needs.includes(name));
  const show = (node: Node, prefix: string, branch: string): void => {
    lines.push(`${prefix}${branch}${node.name}${node.affected ? " *" : ""}`);
    const children = dependents(node.name);
    const below = prefix + (branch === "" ? "" : branch === "└─ " ? "   " : "│  ");
    children.forEach((child, index) => show(child, below, index === children.length - 1 ? "└─ " : "├─ "));
  };
  for (const node of nodes) if (node.needs.length === 0) show(node, "", "");
  if (nodes.some((node) => node.affected)) lines.push("* would run");
  return `${lines.join("\n")}\n`;
}

function mermaid(nodes: readonly Node[]): string {
  const id = (name: string): string => `f${nodes.findIndex((node) => node.name === name)}`;
  const lines = [
    "graph LR",
    ...nodes.map((node) => `  ${id(node.name)}["${node.name}"]${node.affected ? ":::affected" : ""}`),
  ];
  for (const node of nodes) for (const need of node.needs) lines.push(`  ${id(need)} --> ${id(node.name)}`);
  lines.push("  classDef affected stroke:#d97706,stroke-width:2px");
  return `${lines.join("\n")}\n`;
}

function dot(nodes: readonly Node[]): string {
  const quote = (name: string): string => JSON.stringify(name);
  const lines = ["digraph fastloop {", "  rankdir=LR;", "  node [shape=box];"];
  for (const node of nodes)
    lines.push(`  ${quote(node.name)}${node.affected ? ' [color="#d97706", penwidth=2]' : ""};`);
  for (const node of nodes) for (const need of node.needs) lines.push(`  ${quote(need)} -> ${quote(node.name)};`);
  return `${[...lines, "}"].join("\n")}\n`;
}

const columnPx = 200;
const rowPx = 56;
const boxWidthPx = 150;
const boxHeightPx = 32;

/** A column for each step of the order: a function stands right of all that it needs. */
function svg(nodes: readonly Node[]): string {
  const column = new Map<string, number>();
  for (const node of nodes) column.set(node.name, Math.max(-1, ...node.needs.map((need) => column.get(need) ?? 0)) + 1);
  const filled: number[] = [];
  const place = new Map(
    nodes.map((node) => {
      const x = column.get(node.name)!;
      filled[x] = (filled[x] ?? 0) + 1;
      return [node.name, { x: 20 + x * columnPx, y: 20 + (filled[x] - 1) * rowPx }];
    }),
  );
  const width = filled.length * columnPx;
  const height = Math.max(...filled) * rowPx + 20;
  const edges = nodes.flatMap((node) =>
    node.needs.map((need) => {
      const [from, to] = [place.get(need)!, place.get(node.name)!];
      const [x1, y1, x2, y2] = [from.x + boxWidthPx, from.y + boxHeightPx / 2, to.x, to.y + boxHeightPx / 2];
      return `<path d="M${x1} ${y1} C${x1 + 25} ${y1} ${x2 - 25} ${y2} ${x2} ${y2}" fill="none" stroke="#64748b" marker-end="url(#a)"/>`;
    }),
  );
  const boxes = nodes.map((node) => {
    const { x, y } = place.get(node.name)!;
    const stroke = node.affected ? "#d97706" : "#64748b";
    const label = node.name.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
    return `<rect x="${x}" y="${y}" width="${boxWidthPx}" height="${boxHeightPx}" rx="6" fill="#fff" stroke="${stroke}" stroke-width="${node.affected ? 2 : 1}"/><text x="${x + boxWidthPx / 2}" y="${y + 21}" text-anchor="middle" font-family="sans-serif" font-size="13">${label}</text>`;
  });
  const arrow =
    '<defs><marker id="a" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#64748b"/></marker></defs>';
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">\n${[arrow, ...edges, ...boxes].join("\n")}\n</svg>\n`;
}
