import { Graph, layout } from "@dagrejs/dagre";

export const nodeWidth = 176;
export const nodeHeight = 56;
/** From so many nodes on the quicker way is taken to say in which column a node stands. */
const manyNodes = 200;

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

/** From left to right: what is needed stands before what needs it. Pixels of the middle of each node. */
export function place({ ids, needs }: LayoutInput): Placed {
  const linked = new Set(needs.flat());
  const graph = new Graph();
  graph.setGraph({
    rankdir: "LR",
    nodesep: 18,
    ranksep: 48,
    marginx: 24,
    marginy: 24,
    ...(ids.length > manyNodes ? { ranker: "longest-path" as const } : {}),
  });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const id of ids) if (linked.has(id)) graph.setNode(id, { width: nodeWidth, height: nodeHeight });
  for (const [from, to] of needs) graph.setEdge(from, to);
  const places: Record<string, Place> = Object.create(null) as Record<string, Place>;
  let [width, height] = [0, 0];
  if (linked.size > 0) {
    layout(graph);
    for (const id of graph.nodes()) {
      const { x, y } = graph.node(id) as Place;
      places[id] = { x, y };
    }
    const size = graph.graph() as { width: number; height: number };
    [width, height] = [size.width, size.height];
  }
  return grid(
    ids.filter((id) => !linked.has(id)),
    { places, width, height },
  );
}

/** What needs nothing and is needed by nothing stands below the others, in rows. */
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
