import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { NodeAction, PageNode, Tone } from "../types.ts";
import { moment } from "./format.ts";
import { Graph } from "./graph/graph.tsx";
import { Header } from "./header.tsx";
import { Help } from "./help.tsx";
import { useKeys } from "./keys.ts";
import { NodeList } from "./node-list.tsx";
import { Panel, tabs, type Tab } from "./panels/panel.tsx";
import { SearchField } from "./search-field.tsx";
import { useStore, type Store } from "./store.ts";
import { useTheme } from "./theme.ts";

/** Same width as in page.css; below it, list and panel are shown alternately. */
const narrow = matchMedia("(max-width: 759px)");
const urgency: Tone[] = ["bad", "busy", "waiting", "idle", "good"];

export function App({ store }: { store: Store }): JSX.Element {
  useStore(store);
  const [theme, toggleTheme] = useTheme();
  const [selected, setSelected] = useState<string>();
  const [view, setView] = useState<"graph" | "list">(narrow.matches ? "list" : "graph");
  const [tab, setTab] = useState<Tab>("Log");
  const [filter, setFilter] = useState("");
  const [query, setQuery] = useState("");
  const [isHelpOpen, setHelpOpen] = useState(false);
  const [isPanelOpen, setPanelOpen] = useState(false);
  const filterRef = useRef<HTMLInputElement>(null);
  const searchRef = useRef<HTMLInputElement>(null);

  const all = store.order.flatMap((id) => store.nodes.get(id) ?? []);
  const wanted = filter.toLowerCase();
  const shown = all.filter(({ name, state }) => name.toLowerCase().includes(wanted) || state === wanted);
  // The list shows the most urgent states first; the graph keeps dependency order.
  const listed = view === "list" ? shown.toSorted((a, b) => urgency.indexOf(a.tone) - urgency.indexOf(b.tone)) : shown;
  const node = selected === undefined ? undefined : store.nodes.get(selected);

  const select = (id: string | undefined): void => {
    setSelected(id);
    setPanelOpen(id !== undefined);
  };
  const act = (action: NodeAction, { id }: PageNode): void => {
    if (action === "run") store.act({ do: "run", which: [id] });
    else if (action === "cancel") store.act({ do: "cancel", node: id });
    else if (action === "restart") store.act({ do: "restart", nodes: [id] });
    else store.act({ do: "switch", node: id, to: action });
  };
  const actIf = (action: NodeAction): void => {
    if (node?.can.includes(action) === true) act(action, node);
  };
  const hasFunctions = store.top?.manual !== undefined;
  const runAll = (): void => {
    if (!hasFunctions) store.act({ do: "restart", nodes: [] });
    else store.act({ do: "run", which: filter === "" ? "all" : shown.map(({ id }) => id) });
  };
  const runFailed = (): void => void (hasFunctions && store.act({ do: "run", which: "failed" }));
  const runMarked = (): void => void (store.top?.manual === true && store.act({ do: "run-marked" }));
  const toggleManual = (): void => void (hasFunctions && store.act({ do: "manual", on: store.top?.manual !== true }));
  const step = (by: number): void => {
    const at = listed.findIndex(({ id }) => id === selected);
    const next = listed[at < 0 ? (by > 0 ? 0 : listed.length - 1) : Math.min(listed.length - 1, Math.max(0, at + by))];
    if (next !== undefined) setSelected(next.id);
  };
  const toggleView = (): void => setView(view === "graph" ? "list" : "graph");

  useKeys({
    j: () => step(1),
    k: () => step(-1),
    ArrowDown: () => step(1),
    ArrowUp: () => step(-1),
    Enter: () => {
      if (node === undefined) return;
      setTab("Log");
      setPanelOpen(true);
    },
    Escape: () => {
      (document.activeElement as HTMLElement | null)?.blur();
      if (filter === "") select(undefined);
      else setFilter("");
    },
    r: () => {
      actIf("run");
      actIf("restart");
    },
    R: runMarked,
    c: () => actIf("cancel"),
    l: () => {
      if (node?.can.includes("local") === true) act("local", node);
      else actIf("container");
    },
    a: runAll,
    f: runFailed,
    m: toggleManual,
    "/": () => filterRef.current?.focus(),
    s: () => {
      setTab("Log");
      setPanelOpen(true);
      // Focuses the field once it is rendered.
      requestAnimationFrame(() => searchRef.current?.focus());
    },
    1: () => setTab(tabs[0]),
    2: () => setTab(tabs[1]),
    3: () => setTab(tabs[2]),
    4: () => setTab(tabs[3]),
    g: toggleView,
    d: toggleTheme,
    "?": () => setHelpOpen(true),
  });
  useEffect(() => {
    const { top } = store;
    if (top !== undefined) document.title = `${top.status.split("\n")[0]} – ${top.project}`;
  }, [store.top]);

  if (store.connection === "refused") return <Refused />;
  return (
    <div class={`page${isPanelOpen ? " open" : ""}`}>
      <Header
        store={store}
        theme={theme}
        hasFilter={filter !== ""}
        hasFunctions={hasFunctions}
        onRunAll={runAll}
        onRunFailed={runFailed}
        onRunMarked={runMarked}
        onManual={toggleManual}
        onTheme={toggleTheme}
        onHelp={() => setHelpOpen(true)}
      />
      <main>
        <section class="overview" aria-label="Overview">
          <div class="bar">
            <div class="switch" role="group" aria-label="How it is shown">
              <button aria-pressed={view === "graph"} onClick={() => setView("graph")}>
                Graph
              </button>
              <button aria-pressed={view === "list"} onClick={() => setView("list")}>
                List
              </button>
            </div>
            <SearchField
              fieldRef={filterRef}
              placeholder="Filter  (/)"
              label="Filter by name or state"
              value={filter}
              onValue={setFilter}
            />
            <button class="quiet log-of-all" onClick={() => setPanelOpen(true)}>
              Log
            </button>
          </div>
          {view === "graph" ? (
            <Graph nodes={all} shown={new Set(shown.map(({ id }) => id))} selected={selected} onSelect={select} />
          ) : (
            <NodeList nodes={listed} selected={selected} onSelect={select} />
          )}
        </section>
        <Panel
          store={store}
          node={node}
          tab={tab}
          onTab={setTab}
          onSelect={select}
          act={act}
          query={query}
          onQuery={setQuery}
          searchRef={searchRef}
          theme={theme}
        />
      </main>
      {store.notices.length > 0 && <Notices store={store} />}
      {store.toast !== undefined && (
        <p class="toast" role="alert">
          {store.toast}
        </p>
      )}
      {isHelpOpen && <Help onClose={() => setHelpOpen(false)} />}
    </div>
  );
}

function Notices({ store }: { store: Store }): JSX.Element {
  const last = store.notices.at(-1)!;
  return (
    <details class="notices">
      <summary>
        <time>{moment(last.atMs)}</time> {last.text.split("\n")[0]}
      </summary>
      <ol tabIndex={0} aria-label="Notices">
        {store.notices.toReversed().map(({ atMs, text }, index) => (
          <li key={index}>
            <time>{moment(atMs)}</time> {text}
          </li>
        ))}
      </ol>
    </details>
  );
}

function Refused(): JSX.Element {
  return (
    <main class="refused">
      <h1>This link is not, or no longer, valid</h1>
      <p>
        The page belongs to one run of the command. Press <kbd>u</kbd> in its terminal, or open the address that{" "}
        <code>--ui</code> prints.
      </p>
    </main>
  );
}
