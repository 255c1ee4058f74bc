import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { NodeAction, NodeDetails, PageNode } from "../../types.ts";
import { marks } from "../format.ts";
import { LogPane } from "../logs/log-pane.tsx";
import type { Store } from "../store.ts";
import { Charts } from "./charts.tsx";
import { Round, Spans } from "./timeline.tsx";
import { WhyPanel } from "./why.tsx";

export const tabs = ["Log", "Timeline", "Why", "Charts"] as const;
export type Tab = (typeof tabs)[number];

export interface PanelProps {
  store: Store;
  node: PageNode | undefined;
  tab: Tab;
  onTab(tab: Tab): void;
  onSelect(id: string | undefined): void;
  act(action: NodeAction, node: PageNode): void;
  query: string;
  onQuery(query: string): void;
  searchRef: { current: HTMLInputElement | null };
  theme: string;
}

const actionText: Record<NodeAction, string> = {
  run: "Run",
  cancel: "Cancel",
  restart: "Restart",
  local: "Replace by local",
  container: "Back to container",
};

/** Details of the selected node; of all nodes when none is selected. */
export function Panel(props: PanelProps): JSX.Element {
  const { store, node, tab, onTab, onSelect, act, query, onQuery, searchRef, theme } = props;
  const [run, setRun] = useState<{ node: string; id: string }>();
  const runId = run !== undefined && run.node === node?.id && run.id !== "" ? run.id : undefined;
  const details = useDetails(store, node, tab, runId);
  const shown: Tab = node === undefined && tab === "Why" ? "Log" : tab;
  const nowMs = store.backend.takenMs ?? Date.now();
  return (
    <section class="side" aria-label={node === undefined ? "All" : node.name}>
      <header>
        <button class="back quiet" aria-label="Back to the list" onClick={() => onSelect(undefined)}>
          ←
        </button>
        <h2>{node === undefined ? "All" : node.name}</h2>
        {node !== undefined && (
          <span class={`standing ${node.tone}`}>
            <i aria-hidden="true">{marks[node.tone]}</i> {node.state}
          </span>
        )}
        {node?.ports?.map((port) => (
          <a key={port} href={`http://127.0.0.1:${port}/`} target="_blank" rel="noreferrer noopener">
            :{port}
          </a>
        ))}
        <span class="space" />
        {node?.can.map((action) => (
          <button key={action} class="act" disabled={!store.isLive} onClick={() => act(action, node)}>
            {actionText[action]}
          </button>
        ))}
        {node !== undefined && (
          <button class="quiet close" aria-label="Show all" onClick={() => onSelect(undefined)}>
            ✕
          </button>
        )}
      </header>
      <div class="tabs" role="tablist" aria-label="What is shown">
        {tabs
          .filter((name) => node !== undefined || name !== "Why")
          .map((name) => (
            <button
              key={name}
              id={`tab-${name}`}
              role="tab"
              aria-selected={name === shown}
              aria-controls="tab-panel"
              onClick={() => onTab(name)}
            >
              {name}
            </button>
          ))}
      </div>
      <div class="content" id="tab-panel" role="tabpanel" aria-labelledby={`tab-${shown}`}>
        {shown === "Log" && (
          <LogPane store={store} node={node?.id} query={query} onQuery={onQuery} searchRef={searchRef} />
        )}
        {shown === "Timeline" &&
          (node === undefined ? (
            <Round nodes={[...store.nodes.values()]} onSelect={onSelect} nowMs={nowMs} />
          ) : (
            <Spans node={node} details={details} onRun={(id) => setRun({ node: node.id, id })} nowMs={nowMs} />
          ))}
        {shown === "Why" && node !== undefined && <WhyPanel node={node} details={details} />}
        {shown === "Charts" && <Charts store={store} node={node} theme={theme} />}
      </div>
    </section>
  );
}

const againMs = 1_000;

/** Fetches details when a node is shown, and again when the node changes and while it runs. */
function useDetails(
  store: Store,
  node: PageNode | undefined,
  tab: Tab,
  run: string | undefined,
): NodeDetails | undefined {
  const [found, setFound] = useState<{ id: string; details: NodeDetails }>();
  const isWanted = node !== undefined && (tab === "Timeline" || tab === "Why");
  const [turn, setTurn] = useState(0);
  const goesOn = isWanted && node.sinceMs !== undefined && store.isLive;
  useEffect(() => {
    if (!goesOn) return undefined;
    const timer = setInterval(() => setTurn((count) => count + 1), againMs);
    return () => clearInterval(timer);
  }, [goesOn]);
  useEffect(() => {
    if (!isWanted) return undefined;
    let isOver = false;
    const { id } = node;
    store.backend
      .details(id, run)
      .then((details) => void (isOver || setFound({ id, details })))
      .catch(() => undefined);
    return () => void (isOver = true);
  }, [isWanted, node?.id, node?.state, node?.digest, node?.endedMs, run, turn, store.connection]);
  return found?.id === node?.id ? found?.details : undefined;
}
