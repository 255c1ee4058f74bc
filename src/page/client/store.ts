import { useEffect, useState } from "preact/hooks";
import type { PageChange, PageCommand, PageNode, PageNotice, PageState, PageTop } from "../types.ts";
import type { Backend, Connection } from "./backend.ts";
import { LogBuffer } from "./logs/log-buffer.ts";

const keptNotices = 100;
const toastMs = 6_000;

/** State of the page. Components read it and are rendered again when it changes, at most once a frame. */
export class Store {
  readonly backend: Backend;
  readonly logs = new LogBuffer();
  top: PageTop | undefined;
  nodes = new Map<string, PageNode>();
  /** In dependency order. */
  order: string[] = [];
  notices: PageNotice[] = [];
  connection: Connection = "connecting";
  /** Error of the last action, shown for some seconds. */
  toast: string | undefined;
  private readonly listeners = new Set<() => void>();
  private frame = 0;
  private toastTimer = 0;

  constructor(backend: Backend) {
    this.backend = backend;
  }

  start(): void {
    this.backend.start({
      connection: (connection) => {
        this.connection = connection;
        this.changed();
      },
      state: (state) => this.take(state),
      change: (change) => this.apply(change),
      lines: (lines) => {
        this.logs.add(lines);
        this.changed();
      },
    });
  }

  get isLive(): boolean {
    return this.connection === "live";
  }

  act(command: PageCommand): void {
    if (this.backend.takenMs !== undefined) return;
    this.backend.act(command).catch((error: Error) => this.tell(error.message));
  }

  tell(text: string): void {
    this.toast = text;
    clearTimeout(this.toastTimer);
    this.toastTimer = setTimeout(() => {
      this.toast = undefined;
      this.changed();
    }, toastMs);
    this.changed();
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private take({ top, nodes, notices, logEnd }: PageState): void {
    this.top = top;
    this.nodes = new Map(nodes.map((node) => [node.id, node]));
    this.order = nodes.map(({ id }) => id);
    this.notices = notices;
    if (logEnd < this.logs.end) this.logs.clear();
    this.changed();
  }

  private apply({ top, nodes = [], order, notices = [] }: PageChange): void {
    if (top !== undefined) this.top = top;
    for (const node of nodes) this.nodes.set(node.id, node);
    if (order !== undefined) {
      this.order = order;
      const kept = new Set(order);
      for (const id of this.nodes.keys()) if (!kept.has(id)) this.nodes.delete(id);
    }
    if (notices.length > 0) this.notices = [...this.notices, ...notices].slice(-keptNotices);
    this.changed();
  }

  private changed(): void {
    // A page in the background gets no frames; it renders when it becomes visible.
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      for (const listener of this.listeners) listener();
    });
  }
}

/** Renders the component again when the store changes. */
export function useStore(store: Store): void {
  const [, draw] = useState(0);
  useEffect(() => {
    const drawAgain = (): void => draw((count) => count + 1);
    // Covers changes between the first render and this subscription.
    drawAgain();
    return store.subscribe(drawAgain);
  }, [store]);
}
