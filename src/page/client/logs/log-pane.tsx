import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { LogLine } from "../../types.ts";
import { clock } from "../format.ts";
import type { Store } from "../store.ts";
import { SearchField } from "../search-field.tsx";
import { AnsiText } from "./ansi.tsx";
import type { LogView } from "./log-buffer.ts";

/** Same height as in page.css. */
const rowPx = 20;
/** Extra rows rendered above and below the visible ones. */
const spareRows = 20;

export interface LogPaneProps {
  store: Store;
  /** Undefined: the logs of all nodes. */
  node: string | undefined;
  query: string;
  onQuery(query: string): void;
  searchRef: { current: HTMLInputElement | null };
}

/** Shows a log; only the visible lines are in the document, however many there are. */
export function LogPane({ store, node, query, onQuery, searchRef }: LogPaneProps): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState<LogView>();
  const [, draw] = useState(0);
  const [follows, setFollows] = useState(true);
  const [scroll, setScroll] = useState({ top: 0, height: 600 });

  useEffect(() => {
    let frame = 0;
    const opened = store.logs.view(node, query, () => {
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        draw((count) => count + 1);
      });
    });
    setView(opened);
    setFollows(true);
    return () => {
      cancelAnimationFrame(frame);
      opened.close();
    };
  }, [store, node, query]);

  const lines = view?.lines ?? [];
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    if (follows) element.scrollTop = element.scrollHeight;
    if (element.clientHeight !== scroll.height) setScroll({ top: element.scrollTop, height: element.clientHeight });
  });

  const onScroll = (): void => {
    const { scrollTop, clientHeight, scrollHeight } = box.current!;
    setScroll({ top: scrollTop, height: clientHeight });
    setFollows(scrollHeight - scrollTop - clientHeight < 2 * rowPx);
  };
  const top = follows ? Math.max(0, lines.length * rowPx - scroll.height) : scroll.top;
  const first = Math.max(0, Math.floor(top / rowPx) - spareRows);
  const shown = lines.slice(first, first + Math.ceil(scroll.height / rowPx) + 2 * spareRows);
  return (
    <div class="logs">
      <div class="bar">
        <SearchField
          fieldRef={searchRef}
          placeholder="Search the log  (s)"
          label="Search the log"
          value={query}
          onValue={onQuery}
        />
        <span class="count" role="status">
          {lines.length.toLocaleString("en")} {lines.length === 1 ? "line" : "lines"}
          {view?.isSearching === true ? "…" : ""}
        </span>
        <button class="quiet" aria-pressed={follows} onClick={() => setFollows(!follows)}>
          Follow
        </button>
      </div>
      <div ref={box} class="lines" tabIndex={0} role="log" aria-live="off" aria-label="Log" onScroll={onScroll}>
        <div class="reel" style={{ height: `${lines.length * rowPx}px` }}>
          <div class="seen" style={{ transform: `translateY(${first * rowPx}px)` }}>
            {shown.map((line) => (
              <Row
                key={line[0]}
                line={line}
                name={node === undefined ? nameOf(store, line[1]) : undefined}
                query={query}
              />
            ))}
          </div>
        </div>
        {lines.length === 0 && <p class="empty">{query === "" ? "Nothing was printed yet." : "No line has this."}</p>}
      </div>
    </div>
  );
}

const nameOf = (store: Store, id: string): string => store.nodes.get(id)?.name ?? id;

function Row({ line, name, query }: { line: LogLine; name: string | undefined; query: string }): JSX.Element {
  const [, , stream, atMs, text] = line;
  return (
    <div class={`line ${stream}`}>
      <time>{clock(atMs)}</time>
      {name !== undefined && <b>{name}</b>}
      <span class="text">
        <AnsiText text={text} query={query.toLowerCase()} />
      </span>
    </div>
  );
}
