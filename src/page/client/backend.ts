/** Source of the page's data: the running command, or the file that the page was saved in. */
import type { LogLine, NodeDetails, PageChange, PageCommand, PageHistory, PageSnapshot, PageState } from "../types.ts";

/** `live`: data is current. `lost`: reconnecting. `refused`: the token is not this run's. `saved`: a file. */
export type Connection = "connecting" | "live" | "lost" | "refused" | "saved";

export interface Backend {
  readonly takenMs: number | undefined;
  start(on: BackendEvents): void;
  details(node: string, run?: string): Promise<NodeDetails>;
  history(): Promise<PageHistory>;
  /** Rejects with the reason as text. */
  act(command: PageCommand): Promise<void>;
  /** Returns a file with all that is shown; undefined when the page itself is one. */
  snapshot(): Promise<Blob> | undefined;
}

export interface BackendEvents {
  connection(state: Connection): void;
  state(state: PageState): void;
  change(change: PageChange): void;
  /** Lines up to the newest; known ones may be among them. */
  lines(lines: readonly LogLine[]): void;
}

const tokenKey = "fastloop-token";
const longestWaitMs = 5_000;
/** The server sends a heartbeat every ten seconds. */
const silenceMs = 25_000;

/** Takes the token from the address and removes it there at once. Only this tab stores it, so that a reload works. */
function takeToken(): string {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given !== null) {
    sessionStorage.setItem(tokenKey, given);
    history.replaceState(null, "", location.pathname);
  }
  return sessionStorage.getItem(tokenKey) ?? "";
}

export class LiveBackend implements Backend {
  readonly takenMs = undefined;
  private readonly token = takeToken();
  private lastId: string | undefined;
  private lastLine = 0;

  start(on: BackendEvents): void {
    void this.follow(on);
    // The address was opened again in this tab with the token of another run.
    addEventListener("hashchange", () => location.reload());
  }

  async details(node: string, run?: string): Promise<NodeDetails> {
    const query = new URLSearchParams({ id: node, ...(run === undefined ? {} : { run }) });
    return (await this.ask(`/node?${query}`)).json() as Promise<NodeDetails>;
  }

  async history(): Promise<PageHistory> {
    return (await this.ask("/history")).json() as Promise<PageHistory>;
  }

  async act(command: PageCommand): Promise<void> {
    await this.ask("/do", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(command),
    });
  }

  async snapshot(): Promise<Blob> {
    return (await this.ask("/snapshot")).blob();
  }

  /** Follows events as long as the page is open. After a lost connection it reconnects and continues where it was. */
  private async follow(on: BackendEvents): Promise<void> {
    on.connection("connecting");
    for (let waitMs = 250; ; waitMs = Math.min(2 * waitMs, longestWaitMs)) {
      try {
        const silence = new AbortController();
        const headers: Record<string, string> = this.lastId === undefined ? {} : { "last-event-id": this.lastId };
        const response = await this.ask("/events", { headers, signal: silence.signal });
        on.connection("live");
        waitMs = 250;
        await this.catchUp(on);
        await this.read(response, on, silence);
      } catch (error) {
        if (error instanceof Refused) return on.connection("refused");
      }
      on.connection("lost");
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }

  private async catchUp(on: BackendEvents): Promise<void> {
    const lines = (await (await this.ask(`/log?after=${this.lastLine}`)).json()) as LogLine[];
    this.tellLines(lines, on);
  }

  private tellLines(lines: readonly LogLine[], on: BackendEvents): void {
    const last = lines.at(-1);
    if (last === undefined || last[0] <= this.lastLine) return;
    const fresh = lines[0]![0] > this.lastLine ? lines : lines.filter(([number]) => number > this.lastLine);
    this.lastLine = last[0];
    on.lines(fresh);
  }

  /** Parses server-sent events as the HTML standard describes. `EventSource` can't send a header with a token. */
  private async read(response: Response, on: BackendEvents, silence: AbortController): Promise<void> {
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let timer: number | undefined;
    let rest = "";
    try {
      for (;;) {
        clearTimeout(timer);
        timer = setTimeout(() => silence.abort(), silenceMs);
        const { done, value } = await reader.read();
        if (done) return;
        const messages = (rest + value).split("\n\n");
        rest = messages.pop()!;
        for (const message of messages) this.take(message, on);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  private take(message: string, on: BackendEvents): void {
    const fields = new Map(message.split("\n").map((line) => fieldOf(line)));
    const [id, event, data] = [fields.get("id"), fields.get("event"), fields.get("data")];
    if (id === undefined || data === undefined) return;
    if (event === "state") {
      const state = JSON.parse(data) as PageState;
      // A new process numbers lines from the beginning.
      if (state.logEnd < this.lastLine) this.lastLine = 0;
      on.state(state);
    } else {
      const change = JSON.parse(data) as PageChange;
      on.change(change);
      if (change.lines !== undefined) this.tellLines(change.lines, on);
    }
    this.lastId = id;
  }

  private async ask(url: string, init: RequestInit = {}): Promise<Response> {
    const headers = { authorization: `Bearer ${this.token}`, ...(init.headers as Record<string, string>) };
    const response = await fetch(url, { ...init, headers, cache: "no-store", credentials: "omit" });
    if (response.ok) return response;
    if (response.status === 401) throw new Refused();
    const { message } = (await response.json().catch(() => ({ message: response.statusText }))) as { message: string };
    throw new Error(message);
  }
}

class Refused extends Error {}

function fieldOf(line: string): [string, string] {
  const end = line.indexOf(": ");
  return [line.slice(0, end), line.slice(end + 2)];
}

export class SavedBackend implements Backend {
  readonly takenMs: number;
  private readonly saved: PageSnapshot;

  constructor(saved: PageSnapshot) {
    this.saved = saved;
    this.takenMs = saved.takenMs;
  }

  start(on: BackendEvents): void {
    on.connection("saved");
    on.state(this.saved.state);
    on.lines(this.saved.lines);
  }

  async details(node: string): Promise<NodeDetails> {
    return this.saved.details[node] ?? { runs: [], spans: [] };
  }

  async history(): Promise<PageHistory> {
    return this.saved.history;
  }

  async act(): Promise<void> {
    throw new Error("this page is a saved one: nothing can be started from it");
  }

  snapshot(): undefined {
    return undefined;
  }
}

export function openBackend(): Backend {
  const saved = document.getElementById("snapshot")?.textContent;
  return saved == null ? new LiveBackend() : new SavedBackend(JSON.parse(saved) as PageSnapshot);
}
