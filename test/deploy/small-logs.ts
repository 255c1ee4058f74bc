/** The logs of a small API server's pods, as far as somebody follows them. */
import type { ServerResponse } from "node:http";

interface Line {
  /** RFC 3339 with nanoseconds. */
  stamp: string;
  text: string;
}

/** Logs by `NAMESPACE/POD`. */
export class SmallLogs {
  readonly #logs = new Map<string, SmallLog>();

  of(pod: string): SmallLog {
    const log = this.#logs.get(pod) ?? new SmallLog();
    this.#logs.set(pod, log);
    return log;
  }
}

/** The log of one pod, whose containers share it. */
export class SmallLog {
  readonly #lines: Line[] = [];
  readonly #followers = new Set<(line: Line) => void>();
  #written = 0;
  /** Whether it answers that it is not there yet. */
  refused = false;
  refusals = 0;

  constructor() {
    this.write("listening on :8080");
  }

  write(text: string): void {
    // Lines of one second differ in the nanoseconds only.
    this.#written += 1;
    const line = { stamp: `2026-01-01T00:00:00.${String(this.#written).padStart(9, "0")}Z`, text };
    this.#lines.push(line);
    for (const follower of this.#followers) follower(line);
  }

  /** How many read it now. */
  get followers(): number {
    return this.#followers.size;
  }

  /** Answers as the real server does: `sinceTime` counts whole seconds. */
  send(query: URLSearchParams, response: ServerResponse): void {
    if (this.refused) {
      this.refusals += 1;
      return void response.writeHead(400).end("container is waiting to start\n");
    }
    const since = query.get("sinceTime");
    const from = since === null ? 0 : Math.floor(Date.parse(since) / 1000) * 1000;
    const first = this.#lines
      .filter(({ stamp }) => Date.parse(stamp) >= from)
      .slice(-Number(query.get("tailLines") ?? 0));
    const isStamped = query.get("timestamps") === "true";
    const tell = ({ stamp, text }: Line): void => void response.write(`${isStamped ? `${stamp} ` : ""}${text}\n`);
    response.writeHead(200, { "content-type": "text/plain" });
    for (const line of first) tell(line);
    if (query.get("follow") !== "true") return void response.end();
    this.#followers.add(tell);
    response.once("close", () => this.#followers.delete(tell));
  }
}
