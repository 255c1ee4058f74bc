import type { JSX } from "preact";
import { memo } from "preact/compat";
import { useEffect, useRef } from "preact/hooks";
import type { PageNode } from "../types.ts";
import { Clock } from "./clock.tsx";
import { duration, marks } from "./format.ts";

export interface NodeListProps {
  nodes: readonly PageNode[];
  selected: string | undefined;
  onSelect(id: string): void;
}

export function NodeList({ nodes, selected, onSelect }: NodeListProps): JSX.Element {
  const box = useRef<HTMLUListElement>(null);
  useEffect(() => {
    box.current?.querySelector("[aria-pressed=true]")?.scrollIntoView({ block: "nearest" });
  }, [selected]);
  return (
    <ul ref={box} class="list" tabIndex={-1} aria-label="Functions and services">
      {nodes.map((node) => (
        <Row key={node.id} node={node} isSelected={node.id === selected} onSelect={onSelect} />
      ))}
      {nodes.length === 0 && <li class="empty">Nothing has this name.</li>}
    </ul>
  );
}

interface RowProps {
  node: PageNode;
  isSelected: boolean;
  onSelect(id: string): void;
}

const Row = memo(function Row({ node, isSelected, onSelect }: RowProps): JSX.Element {
  const { id, name, state, tone, detail, tookMs, sinceMs, tests } = node;
  return (
    <li>
      <button class={`row ${tone}`} aria-pressed={isSelected} onClick={() => onSelect(id)}>
        <span class="standing">
          <i aria-hidden="true">{marks[tone]}</i> {state}
        </span>
        <span class="name">{name}</span>
        <span class="took">
          {sinceMs !== undefined ? <Clock sinceMs={sinceMs} /> : tookMs === undefined ? "" : duration(tookMs)}
        </span>
        <span class="detail">{[tests, detail].filter(Boolean).join(" · ")}</span>
      </button>
    </li>
  );
});
