/** Requests to the page's server as any program could send them: a browser would forbid some of these headers. */
import http from "node:http";
import { PageModel } from "../../../src/page/model.ts";
import type { PageSource } from "../../../src/page/source.ts";
import type { NodeDetails, PageCommand, PageNode, PageTop } from "../../../src/page/types.ts";

export interface Answered {
  status: number | undefined;
  headers: http.IncomingHttpHeaders;
  text: string;
}

export interface Request {
  method?: string;
  headers?: http.OutgoingHttpHeaders;
  body?: string;
}

export function ask(port: number, path: string, { method = "GET", headers, body }: Request = {}): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const request = http.request({ host: "127.0.0.1", port, path, method, headers, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (piece: string) => (text += piece));
      response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, text }));
      response.once("error", reject);
    });
    request.once("error", reject);
    request.end(body);
  });
}

/** A stream of server-sent events, as far as it has come. */
export class Events {
  status: number | undefined;
  messages: { id: string; event: string; data: string }[] = [];
  hasEnded = false;
  private readonly request: http.ClientRequest;
  private waiters: (() => void)[] = [];

  constructor(port: number, headers: http.OutgoingHttpHeaders) {
    let rest = "";
    this.request = http.get({ host: "127.0.0.1", port, path: "/events", headers, agent: false }, (response) => {
      this.status = response.statusCode;
      this.wake();
      response.setEncoding("utf8").on("data", (piece: string) => {
        const messages = (rest + piece).split("\n\n");
        rest = messages.pop()!;
        for (const message of messages) {
          const [, id, event, data] = /^id: (.+)\nevent: (.+)\ndata: (.+)$/.exec(message) ?? [];
          if (id !== undefined) this.messages.push({ id, event: event!, data: data! });
        }
        this.wake();
      });
      response.on("close", () => this.end());
      response.on("error", () => this.end());
    });
    this.request.on("error", () => this.end());
  }

  async until(holds: (events: this) => boolean): Promise<this> {
    while (!holds(this)) await new Promise<void>((resolve) => this.waiters.push(resolve));
    return this;
  }

  close(): void {
    this.request.destroy();
  }

  private end(): void {
    this.hasEnded = true;
    this.wake();
  }

  private wake(): void {
    for (const resolve of this.waiters.splice(0)) resolve();
  }
}

export const node = (id: string, changes: Partial<PageNode> = {}): PageNode => ({
  id,
  kind: "function",
  name: id,
  needs: [],
  state: "current",
  tone: "good",
  can: ["run"],
  ...changes,
});

/** Something to show: nodes that a test sets, and the commands that came. */
export class ShownNodes implements PageSource {
  readonly commands: PageCommand[] = [];
  nodes: PageNode[];
  top: PageTop = { project: "shop", command: "fastloop watch", version: "0", status: "", tone: "good" };
  details: (id: string, run?: string) => NodeDetails | undefined;
  carryOut = (command: PageCommand): void => void this.commands.push(command);
  readonly model = new PageModel(() => ({ top: this.top, nodes: this.nodes }));

  constructor(...nodes: PageNode[]) {
    this.nodes = nodes;
    this.details = (id) => (this.nodes.some((each) => each.id === id) ? { runs: [], spans: [] } : undefined);
  }

  history(): ReturnType<PageSource["history"]> {
    return { points: [], figures: [], days: [] };
  }

  close(): void {
    this.model.close();
  }
}
