import { Graph, layout } from "@dagrejs/dagre";

export const nodeWidth = 176;
export const nodeHeight = 56;
/** Gaps between columns and between rows, in pixels. */
const columnGap = 48;
const rowGap = 18;
const margin = 24;
/** From this many nodes on, edges may cross cards: routing them around takes minutes. */
const manyNodes = 200;
/** Number of passes that move each node toward the middle of its neighbors. */
const rounds = 8;
/** More columns continue in a band below: a chain of a thousand nodes would be two hundred thousand pixels wide. */
const mostColumns = 32;

export interface Place {
  x: number;
  y: number;
}

export interface Placed {
  places: Record<string, Place>;
  width: number;
  height: number;
}

export interface LayoutInput {
  ids: string[];
  needs: [from: string, to: string][];
}

/** Places nodes from left to right, needs before dependents. Returns the center of each node, in pixels. */
export function place({ ids, needs }: LayoutInput): Placed {
  const linked = new Set(needs.flat());
  const own = ids.filter((id) => linked.has(id));
  return grid(
    ids.filter((id) => !linked.has(id)),
    own.length > manyNodes ? inColumns(own, needs) : around(own, needs),
  );
}

/** Places nodes with edges routed around the cards. */
function around(ids: readonly string[], needs: LayoutInput["needs"]): Placed {
  const places: Record<string, Place> = Object.create(null) as Record<string, Place>;
  if (ids.length === 0) return { places, width: 0, height: 0 };
  const graph = new Graph();
  graph.setGraph({ rankdir: "LR", nodesep: rowGap, ranksep: columnGap, marginx: margin, marginy: margin });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const id of ids) graph.setNode(id, { width: nodeWidth, height: nodeHeight });
  for (const [from, to] of needs) graph.setEdge(from, to);
  layout(graph);
  for (const id of graph.nodes()) {
    const { x, y } = graph.node(id) as Place;
    places[id] = { x, y };
  }
  const { width, height } = graph.graph() as { width: number; height: number };
  return { places, width, height };
}

/**
 * Places nodes in time linear in nodes and edges: a node's column is the length of the longest path to it, and within
 * columns the order reduces crossings.
 */
function inColumns(ids: readonly string[], needs: LayoutInput["needs"]): Placed {
  const before = linksOf(needs.map(([from, to]) => [to, from]));
  const after = linksOf(needs);
  const columns: string[][] = [];
  const columnOf = columnsOf(ids, before);
  for (const id of ids) (columns[columnOf.get(id)!] ??= []).push(id);
  const row = new Map<string, number>();
  const number = (column: readonly string[]): void =>
    column.forEach((id, index) => row.set(id, (index + 0.5) / column.length));
  columns.forEach(number);
  for (let round = 0; round < rounds; round++) {
    const [ordered, links] = round % 2 === 0 ? [columns, before] : [columns.toReversed(), after];
    for (const column of ordered) {
      const middle = new Map(column.map((id) => [id, middleOf(links.get(id) ?? [], row) ?? row.get(id)!]));
      column.sort((a, b) => middle.get(a)! - middle.get(b)!);
      number(column);
    }
  }
  return stacked(columns);
}

/** Places columns in bands, one below the other. */
function stacked(columns: readonly string[][]): Placed {
  const places: Record<string, Place> = Object.create(null) as Record<string, Place>;
  const [stepX, stepY] = [nodeWidth + columnGap, nodeHeight + rowGap];
  let top = margin;
  for (let first = 0; first < columns.length; first += mostColumns) {
    const band = columns.slice(first, first + mostColumns);
    const rows = Math.max(...band.map((column) => column.length));
    for (const [index, column] of band.entries())
      for (const [at, id] of column.entries())
        places[id] = {
          x: margin + nodeWidth / 2 + index * stepX,
          y: top + nodeHeight / 2 + (at + (rows - column.length) / 2) * stepY,
        };
    top += rows * stepY + columnGap;
  }
  return {
    places,
    width: 2 * margin + Math.min(columns.length, mostColumns) * stepX - columnGap,
    height: top - columnGap - rowGap + margin,
  };
}

function linksOf(pairs: readonly (readonly [string, string])[]): Map<string, string[]> {
  const links = new Map<string, string[]>();
  for (const [from, to] of pairs) {
    const known = links.get(from);
    if (known === undefined) links.set(from, [to]);
    else known.push(to);
  }
  return links;
}

/** Returns the length of the longest path to each node. A cycle is cut at some node. */
function columnsOf(ids: readonly string[], before: ReadonlyMap<string, string[]>): Map<string, number> {
  const known = new Map<string, number>();
  const open = new Set<string>();
  for (const start of ids) {
    const path = [start];
    while (path.length > 0) {
      const id = path.at(-1)!;
      const needed = before.get(id) ?? [];
      const next = known.has(id) ? undefined : needed.find((need) => !known.has(need) && !open.has(need));
      if (next === undefined) {
        path.pop();
        open.delete(id);
        if (!known.has(id)) known.set(id, Math.max(-1, ...needed.map((need) => known.get(need) ?? -1)) + 1);
      } else {
        open.add(id);
        path.push(next);
      }
    }
  }
  return known;
}

function middleOf(linked: readonly string[], row: ReadonlyMap<string, number>): number | undefined {
  if (linked.length === 0) return undefined;
  return linked.reduce((sum, id) => sum + row.get(id)!, 0) / linked.length;
}

/** Places nodes without any edges below the others, in rows. */
function grid(ids: readonly string[], { places, width, height }: Placed): Placed {
  if (ids.length === 0) return { places, width, height };
  const columns = Math.max(Math.ceil(Math.sqrt(ids.length / 2)), Math.floor((width - 24) / (nodeWidth + 24)), 1);
  for (const [index, id] of ids.entries())
    places[id] = {
      x: 24 + nodeWidth / 2 + (index % columns) * (nodeWidth + 24),
      y: Math.max(24, height) + nodeHeight / 2 + Math.floor(index / columns) * (nodeHeight + 18),
    };
  const rows = Math.ceil(ids.length / columns);
  return {
    places,
    width: Math.max(width, 24 + Math.min(columns, ids.length) * (nodeWidth + 24)),
    height: Math.max(24, height) + rows * (nodeHeight + 18) + 6,
  };
}
