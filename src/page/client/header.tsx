import type { JSX } from "preact";
import type { Connection } from "./backend.ts";
import { marks, moment } from "./format.ts";
import type { Store } from "./store.ts";
import type { Theme } from "./theme.ts";

export interface HeaderProps {
  store: Store;
  theme: Theme;
  hasFilter: boolean;
  hasFunctions: boolean;
  onRunAll(): void;
  onRunFailed(): void;
  onRunMarked(): void;
  onManual(): void;
  onTheme(): void;
  onHelp(): void;
}

const connectionText: Record<Connection, string> = {
  connecting: "connecting",
  live: "live",
  lost: "the connection is lost; trying again",
  refused: "refused",
  saved: "saved",
};

export function Header(props: HeaderProps): JSX.Element {
  const { store, theme, hasFilter, hasFunctions, onRunAll, onRunFailed, onRunMarked, onManual, onTheme, onHelp } =
    props;
  const { top, connection, backend } = store;
  const isLive = store.isLive;
  const hasFailed = [...store.nodes.values()].some(({ tone }) => tone === "bad");
  return (
    <header class="top">
      <div class="title">
        <h1>{top?.project ?? "fastloop"}</h1>
        <span class="command">{top?.command}</span>
      </div>
      <p class={`status ${top?.tone ?? "idle"}`} role="status">
        <i aria-hidden="true">{marks[top?.tone ?? "idle"]}</i> {top?.status.split("\n")[0] ?? ""}
      </p>
      <p class={`connection ${connection}`} role="status" title={top?.engine}>
        <i aria-hidden="true" />
        {backend.takenMs === undefined ? connectionText[connection] : `as it was ${moment(backend.takenMs)}`}
      </p>
      <span class="space" />
      {backend.takenMs === undefined && (
        <div class="buttons actions">
          <button disabled={!isLive} onClick={onRunAll}>
            {hasFunctions ? (hasFilter ? "Run these" : "Run all") : "Restart all"}
          </button>
          {hasFunctions && (
            <button disabled={!isLive || !hasFailed} onClick={onRunFailed}>
              Run failed
            </button>
          )}
          {hasFunctions && (
            <button disabled={!isLive} aria-pressed={top?.manual === true} onClick={onManual}>
              Manual
            </button>
          )}
          {top?.manual === true && (
            <button disabled={!isLive} onClick={onRunMarked}>
              Run marked
            </button>
          )}
          <button disabled={!isLive} onClick={() => void save(store)}>
            Save page
          </button>
        </div>
      )}
      <div class="buttons tools">
        <button class="quiet" aria-label={theme === "dark" ? "Light colours" : "Dark colours"} onClick={onTheme}>
          {theme === "dark" ? "☀" : "☾"}
        </button>
        <button class="quiet" aria-label="Help" onClick={onHelp}>
          ?
        </button>
      </div>
    </header>
  );
}

/** Downloads the page as a file. */
async function save(store: Store): Promise<void> {
  try {
    const file = await store.backend.snapshot();
    if (file === undefined) return;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(file);
    link.download = `${store.top?.project ?? "fastloop"}-${new Date().toISOString().slice(0, 19).replaceAll(":", "-")}.html`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  } catch (error) {
    store.tell((error as Error).message);
  }
}
