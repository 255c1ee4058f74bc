import { useEffect, useState } from "preact/hooks";
import type { PageChange, PageCommand, PageNode, PageNotice, PageState, PageTop } from "../types.ts";
import type { Backend, Connection } from "./backend.ts";
import { LogBuffer } from "./logs/log-buffer.ts";

const keptNotices = 100;
const toastMs = 6_000;

/** All that the page shows; components read it and are drawn again, at most once a frame, when it has changed. */
export class Store {
  readonly backend: Backend;
  readonly logs = new LogBuffer();
  top: PageTop | undefined;
  nodes = new Map<string, PageNode>();
  /** Needs come first. */
  order: string[] = [];
  notices: PageNotice[] = [];
  connection: Connection = "connecting";
  /** What came of the last button, where it did not work. */
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
    // A page in the background has no frames, and draws when it is looked at.
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      for (const listener of this.listeners) listener();
    });
  }
}

/** Draws the component again when the store has changed. */
export function useStore(store: Store): void {
  const [, draw] = useState(0);
  useEffect(() => {
    const drawAgain = (): void => draw((count) => count + 1);
    // What came before this subscribed is told to nobody else.
    drawAgain();
    return store.subscribe(drawAgain);
  }, [store]);
}
