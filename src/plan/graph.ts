import type { PlannedTarget } from "./planner.ts";

export type GraphFormat = "text" | "mermaid" | "dot";

interface Node {
  name: string;
  needs: readonly string[];
  affected: boolean;
}

/** Returns the graph of the targets and their needs, with affected ones marked. */
export function renderGraph(planned: readonly PlannedTarget[], format: GraphFormat): string {
  const nodes = planned.map(({ item, affected }): Node => ({
    name: item.target.name,
    needs: item.target.needs,
    affected,
  }));
  switch (format) {
    case "text":
      return text(nodes);
    case "mermaid":
      return mermaid(nodes);
    case "dot":
      return dot(nodes);
  }
}

function text(nodes: readonly Node[]): string {
  const lines: string[] = [];
  const dependents = new Map<string, Node[]>(nodes.map(({ name }) => [name, []]));
  for (const node of nodes) for (const need of new Set(node.needs)) dependents.get(need)?.push(node);
  const shown = new Set<string>();
  const show = (node: Node, prefix: string, branch: string): void => {
    const children = dependents.get(node.name) ?? [];
    // The number of paths through a graph can be exponential, so what is below a target is shown once.
    const isAbove = shown.has(node.name) && children.length > 0;
    lines.push(`${prefix}${branch}${node.name}${node.affected ? " *" : ""}${isAbove ? " (see above)" : ""}`);
    if (isAbove) return;
    shown.add(node.name);
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
