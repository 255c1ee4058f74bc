import { randomBytes } from "node:crypto";
import type { PageChange, PageState } from "./types.ts";

/** Many things happen at a time; so often is enough to look at. */
const batchMs = 50;
/** So much of what was sent is kept for who lost the connection; who lost more gets the whole state. */
const keptCharacters = 4 * 1024 * 1024;

interface Sent {
  number: number;
  text: string;
}

/** One message to the page: an event of server-sent events, with its id. */
export interface FeedMessage {
  id: string;
  event: "state" | "change";
  data: string;
}

/** What changes, in batches with ids that go up, so that a page which lost its connection goes on where it was. */
export class Feed {
  private readonly state: () => PageState;
  /** Ids of another process mean nothing here. */
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

  /** Told with the next batch; of a node, the newest counts. */
  note(change: PageChange): void {
    this.pending = merged(this.pending ?? {}, change);
    this.timer ??= setTimeout(() => this.flush(), batchMs);
  }

  /** `last` is the id of the message that came last; undefined or unknown: the whole state comes first. */
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

/** In place: there may be thousands of lines in a batch. */
function appended<T>(before: T[] | undefined, more: readonly T[]): T[] {
  const all = before ?? [];
  for (const each of more) all.push(each);
  return all;
}
