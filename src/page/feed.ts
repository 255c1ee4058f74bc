import { randomBytes } from "node:crypto";
import type { PageChange, PageState } from "./types.ts";

/** Changes come in bursts; sending them this often is enough for a viewer. */
const batchMs = 50;
/** Characters of sent messages that are kept for pages that reconnect. A page that missed more gets the whole state. */
const keptCharacters = 4 * 1024 * 1024;

interface Sent {
  number: number;
  text: string;
}

/** A message to the page: a server-sent event with its id. */
export interface FeedMessage {
  id: string;
  event: "state" | "change";
  data: string;
}

/** Sends changes in batches with increasing ids, so that a page that lost its connection continues where it was. */
export class Feed {
  private readonly state: () => PageState;
  /** Ids of another process are not valid here. */
  private readonly epoch = randomBytes(6).toString("hex");
  private readonly listeners = new Set<(message: FeedMessage) => void>();
  private sent: Sent[] = [];
  private characters = 0;
  private number = 0;
  private pending: PageChange | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(state: () => PageState) {
    this.state = state;
  }

  /** Sends a change with the next batch; of several changes of a node, only the newest is sent. */
  note(change: PageChange): void {
    this.pending = merged(this.pending ?? {}, change);
    this.timer ??= setTimeout(() => this.flush(), batchMs);
  }

  /**
   * Subscribes; returns a function that unsubscribes. `last` is the id of the last message received. When it is
   * undefined or too old, the whole state is sent first.
   */
  subscribe(last: string | undefined, listener: (message: FeedMessage) => void): () => void {
    this.flush();
    const missed = this.since(last);
    if (missed === undefined)
      listener({ id: this.idOf(this.number), event: "state", data: JSON.stringify(this.state()) });
    else for (const { number, text } of missed) listener({ id: this.idOf(number), event: "change", data: text });
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  close(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.listeners.clear();
  }

  private flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.pending === undefined) return;
    const text = JSON.stringify(this.pending);
    this.pending = undefined;
    this.sent.push({ number: ++this.number, text });
    this.characters += text.length;
    while (this.characters > keptCharacters && this.sent.length > 0) this.characters -= this.sent.shift()!.text.length;
    for (const listener of this.listeners) listener({ id: this.idOf(this.number), event: "change", data: text });
  }

  private since(last: string | undefined): Sent[] | undefined {
    const [, epoch, text] = /^([0-9a-f]+)\.(\d{1,15})$/.exec(last ?? "") ?? [];
    const number = Number(text);
    if (epoch !== this.epoch || number > this.number) return undefined;
    const missed = this.sent.filter((sent) => sent.number > number);
    return missed.length === this.number - number ? missed : undefined;
  }

  private idOf(number: number): string {
    return `${this.epoch}.${number}`;
  }
}

function merged(before: PageChange, { top, nodes, order, notices, lines }: PageChange): PageChange {
  const byId = new Map([...(before.nodes ?? []), ...(nodes ?? [])].map((node) => [node.id, node]));
  return {
    ...before,
    ...(top === undefined ? {} : { top }),
    ...(order === undefined ? {} : { order }),
    ...(byId.size === 0 ? {} : { nodes: [...byId.values()] }),
    ...(notices === undefined ? {} : { notices: [...(before.notices ?? []), ...notices] }),
    ...(lines === undefined ? {} : { lines: appended(before.lines, lines) }),
  };
}

/** Appends in place, as a batch may have thousands of lines. */
function appended<T>(before: T[] | undefined, more: readonly T[]): T[] {
  const all = before ?? [];
  for (const each of more) all.push(each);
  return all;
}
