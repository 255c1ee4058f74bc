import { Feed } from "./feed.ts";
import { LogStore } from "./log-store.ts";
import type { LogStream, PageNode, PageNotice, PageState, PageTop } from "./types.ts";

const keptNotices = 100;
/** State changes come in bursts, and each refresh builds a thousand nodes again. */
const refreshMs = 40;

/** Everything that the page shows. Sends what changed to the feed. */
export class PageModel {
  readonly logs = new LogStore();
  readonly feed: Feed;
  private readonly look: () => { top: PageTop; nodes: PageNode[] };
  private top: PageTop | undefined;
  private nodes = new Map<string, { node: PageNode; text: string }>();
  private order: string[] = [];
  private readonly notices: PageNotice[] = [];
  private timer: NodeJS.Timeout | undefined;

  /** `look` builds top and nodes from the current state. */
  constructor(look: () => { top: PageTop; nodes: PageNode[] }) {
    this.look = look;
    this.feed = new Feed(() => this.state);
  }

  get state(): PageState {
    this.refresh();
    return {
      top: this.top!,
      nodes: this.order.map((id) => this.nodes.get(id)!.node),
      notices: [...this.notices],
      logEnd: this.logs.end,
    };
  }

  /** Schedules a refresh after something changed. */
  touch(): void {
    this.timer ??= setTimeout(() => this.refresh(), refreshMs);
  }

  notice(text: string, atMs = Date.now()): void {
    this.notices.push({ atMs, text });
    if (this.notices.length > keptNotices) this.notices.shift();
    this.feed.note({ notices: [{ atMs, text }] });
  }

  /** Adds a piece of a program's output. */
  print(node: string, stream: LogStream, text: string, atMs = Date.now()): void {
    const lines = this.logs.push(node, stream, text, atMs);
    if (lines.length > 0) this.feed.note({ lines });
  }

  /** Adds whole lines; an unfinished line before them is completed. */
  printLines(node: string, stream: LogStream, texts: readonly string[], atMs = Date.now()): void {
    const lines = [...this.logs.flush(node, atMs), ...this.logs.add(node, stream, texts, atMs)];
    if (lines.length > 0) this.feed.note({ lines });
  }

  close(): void {
    clearTimeout(this.timer);
    this.feed.close();
  }

  private refresh(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const { top, nodes } = this.look();
    if (JSON.stringify(top) !== JSON.stringify(this.top)) this.feed.note({ top });
    this.top = top;
    const before = this.nodes;
    this.nodes = new Map(nodes.map((node) => [node.id, { node, text: JSON.stringify(node) }]));
    const changed = nodes.filter(({ id }) => before.get(id)?.text !== this.nodes.get(id)?.text);
    if (changed.length > 0) this.feed.note({ nodes: changed });
    const order = nodes.map(({ id }) => id);
    if (order.length !== this.order.length || order.some((id, index) => id !== this.order[index]))
      this.feed.note({ order });
    this.order = order;
  }
}
