import type { JSX } from "preact";
import { memo } from "preact/compat";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type { PageNode } from "../../types.ts";
import { Clock } from "../clock.tsx";
import { duration, marks } from "../format.ts";
import { nodeHeight, nodeWidth, type Place, type Placed } from "./layout.ts";
import { useLayout } from "./use-layout.ts";
import { useViewport } from "./viewport.ts";

export interface GraphProps {
  nodes: readonly PageNode[];
  /** Nodes that match the filter; the others are pale. */
  shown: ReadonlySet<string>;
  selected: string | undefined;
  onSelect(id: string): void;
}

export function Graph({ nodes, shown, selected, onSelect }: GraphProps): JSX.Element {
  const placed = useLayout(nodes);
  const box = useRef<HTMLDivElement>(null);
  const reel = useRef<HTMLDivElement>(null);
  const viewport = useViewport(box, reel);
  const edges = useMemo(() => (placed === undefined ? [] : edgesOf(nodes, placed)), [placed]);
  const size = placed === undefined ? "" : `${placed.width} ${placed.height}`;
  useLayoutEffect(() => {
    if (placed !== undefined) viewport.fit(placed);
  }, [size]);
  useEffect(() => {
    const at = selected === undefined ? undefined : placed?.places[selected];
    if (at !== undefined) viewport.show(at);
  }, [selected, placed]);
  const near = selected === undefined ? [] : edges.filter(({ from, to }) => from === selected || to === selected);
  return (
    <div class="graph">
      <div ref={box} class="canvas" role="group" aria-label="Graph: what needs what, from left to right">
        {placed === undefined ? (
          <p class="empty">One moment…</p>
        ) : (
          <div ref={reel} class="reel" style={{ width: `${placed.width}px`, height: `${placed.height}px` }}>
            <svg width={placed.width} height={placed.height} aria-hidden="true">
              <path class="edges" d={edges.map(({ line }) => line).join("")} />
              <path class="edges near" d={near.map(({ line }) => line).join("")} />
            </svg>
            {nodes.map((node) => {
              const at = placed.places[node.id];
              return (
                at !== undefined && (
                  <Card
                    key={node.id}
                    node={node}
                    x={at.x}
                    y={at.y}
                    isSelected={node.id === selected}
                    isPale={!shown.has(node.id)}
                    onSelect={onSelect}
                  />
                )
              );
            })}
          </div>
        )}
      </div>
      <div class="zoom">
        <button aria-label="Zoom in" onClick={() => viewport.zoom(1.25)}>
          +
        </button>
        <button aria-label="Zoom out" onClick={() => viewport.zoom(0.8)}>
          −
        </button>
        <button aria-label="Fit the graph" onClick={() => placed !== undefined && viewport.fit(placed)}>
          ⤢
        </button>
      </div>
    </div>
  );
}

interface CardProps {
  node: PageNode;
  x: number;
  y: number;
  isSelected: boolean;
  isPale: boolean;
  onSelect(id: string): void;
}

/** Memoized, so that only cards whose node changed are rendered: there may be a thousand. */
const Card = memo(function Card({ node, x, y, isSelected, isPale, onSelect }: CardProps): JSX.Element {
  const { id, name, kind, state, tone, tookMs, sinceMs } = node;
  return (
    <button
      class={`card ${tone}${isSelected ? " selected" : ""}${isPale ? " pale" : ""}`}
      style={{ left: `${x - nodeWidth / 2}px`, top: `${y - nodeHeight / 2}px` }}
      aria-pressed={isSelected}
      title={`${kind} ${name}`}
      tabIndex={isSelected ? 0 : -1}
      onClick={() => onSelect(id)}
    >
      <span class="name">{name}</span>
      <span class="standing">
        <i aria-hidden="true">{marks[tone]}</i> {state}
        <span class="took">
          {sinceMs !== undefined ? <Clock sinceMs={sinceMs} /> : tookMs === undefined ? "" : duration(tookMs)}
        </span>
      </span>
    </button>
  );
});

interface Edge {
  from: string;
  to: string;
  line: string;
}

function edgesOf(nodes: readonly PageNode[], { places }: Placed): Edge[] {
  return nodes.flatMap((node) =>
    node.needs.flatMap((need) => {
      const [a, b] = [places[need], places[node.id]];
      return a === undefined || b === undefined ? [] : [{ from: need, to: node.id, line: curve(a, b) }];
    }),
  );
}

function curve(a: Place, b: Place): string {
  const [x1, x2] = [a.x + nodeWidth / 2, b.x - nodeWidth / 2];
  const bend = Math.max(24, (x2 - x1) / 2);
  const [p, q] = [Math.round(x1), Math.round(x2)];
  return `M${p} ${Math.round(a.y)}C${p + bend} ${Math.round(a.y)} ${q - bend} ${Math.round(b.y)} ${q} ${Math.round(b.y)}`;
}
