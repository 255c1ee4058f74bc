/** Connection to the helper in a service's container: it carries edits, commands and news of the service. */
import type { Duplex } from "node:stream";
import { createInterface } from "node:readline";

/** One change at `path` below `root` (a folder or file) of the container. */
export type Edit =
  | { action: "put"; root: string; path: string; mode: number; content: Uint8Array }
  | { action: "folder"; root: string; path: string; mode: number }
  | { action: "link"; root: string; path: string; target: string }
  | { action: "remove"; root: string; path: string };

/** News that the container sends unasked. */
export type LiveNews = { stopped: number } | { unhealthy: string } | { healthy: true };

interface Done {
  exitCode: number;
  output: string;
  watched: boolean;
  error: string | undefined;
}

/**
 * Requests and answers as JSON lines; a request may be followed by file contents. Requests fail when the container goes
 * away.
 */
export class LiveLine {
  private readonly line: Duplex;
  private readonly waiting = new Map<number, (done: Done | undefined) => void>();
  private nextId = 1;

  constructor(line: Duplex, onNews: (news: LiveNews) => void) {
    this.line = line;
    line.on("error", () => undefined);
    const lines = createInterface({ input: line, crlfDelay: Infinity });
    lines.on("error", () => undefined);
    lines.on("line", (text) => {
      const message = parsed(text);
      if (message === undefined) return;
      if (!("done" in message)) return onNews(message);
      this.waiting.get(message.done)?.(message);
      this.waiting.delete(message.done);
    });
    line.once("close", () => {
      for (const resolve of this.waiting.values()) resolve(undefined);
      this.waiting.clear();
    });
  }

  get isOpen(): boolean {
    return this.line.writable;
  }

  /**
   * Writes all edits. Resolves with whether a program in the container watches any of the written files. Throws when a
   * write fails.
   */
  async edit(edits: readonly Edit[]): Promise<{ watched: boolean }> {
    const bodies = edits.flatMap((edit) => (edit.action === "put" ? [edit.content] : []));
    const heads = edits.map((edit) => {
      if (edit.action !== "put") return edit;
      const { content, ...head } = edit;
      return { ...head, size: content.length };
    });
    const { watched, error } = await this.ask({ edits: heads }, bodies);
    if (error !== undefined) throw new Error(error);
    return { watched };
  }

  /** Runs a shell command in the container as the service's user. */
  run(command: string): Promise<{ exitCode: number; output: string }> {
    return this.ask({ do: "run", command });
  }

  /** Restarts the service's command in the same container. Throws when that fails. */
  async restart(): Promise<void> {
    const { exitCode, output } = await this.ask({ do: "restart" });
    if (exitCode !== 0) throw new Error(output);
  }

  close(): void {
    this.line.destroy();
  }

  private ask(request: object, bodies: readonly Uint8Array[] = []): Promise<Done> {
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      const gone = new Error("the container has gone");
      if (!this.line.writable) return reject(gone);
      this.waiting.set(id, (done) => (done === undefined ? reject(gone) : resolve(done)));
      this.line.write(Buffer.concat([Buffer.from(`${JSON.stringify({ id, ...request })}\n`), ...bodies]));
    });
  }
}

/** The container is not trusted: anything that is no valid message is ignored. */
function parsed(text: string): (Done & { done: number }) | LiveNews | undefined {
  let message: Record<string, unknown>;
  try {
    message = JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
  if (typeof message !== "object" || message === null) return undefined;
  const { done, exitCode, output, watched, error, stopped, unhealthy, healthy } = message;
  if (typeof done === "number")
    return {
      done,
      exitCode: typeof exitCode === "number" ? exitCode : 0,
      output: typeof output === "string" ? output : "",
      watched: watched === true,
      error: typeof error === "string" ? error : undefined,
    };
  if (typeof stopped === "number") return { stopped };
  if (typeof unhealthy === "string") return { unhealthy };
  return healthy === true ? { healthy } : undefined;
}
