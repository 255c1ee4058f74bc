/**
 * HTTP server of the page, on loopback for as long as its command runs. Other users of this machine, other pages and
 * other programs can reach the port. So everything but the page's own files, which contain no secret, needs the token
 * in a header that no form and no link can send. The token is not in a cookie, because cookies of 127.0.0.1 are sent to
 * all its ports.
 */
import { randomBytes, timingSafeEqual } from "node:crypto";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { UserError } from "../errors/index.ts";
import { Refusal, requireOwnOrigin } from "../graphql/index.ts";
import { htmlOfPage, livePolicy, readAssets } from "./assets.ts";
import { commandOf } from "./command.ts";
import { snapshotHtml } from "./snapshot.ts";
import type { PageSource } from "./source.ts";

export interface PageServer {
  /** The token follows `#`, which browsers send to no server. */
  url: string;
  close(): void;
}

const longestBody = 64 * 1024;
/** A page that reads more slowly than messages come is disconnected, and starts again. */
const mostUnread = 16 * 1024 * 1024;
/** Lets both sides notice a dead connection. */
const heartbeatMs = 10_000;
const mostFollowers = 32;
/** Any user of the machine can connect. */
const mostConnections = 500;
const checkingMs = 1000;

/** Starts the server on a free port. Resolves when it listens. */
export function servePage(source: PageSource): Promise<PageServer> {
  const token = randomBytes(32).toString("base64url");
  const assets = readAssets();
  let followers = 0;
  const server = http.createServer({ connectionsCheckingInterval: checkingMs }, (request, response) => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    answer(request, response).catch((error: unknown) => {
      if (response.headersSent || response.destroyed) return;
      const { status, message } = refusalOf(error);
      if (!request.complete || status === 401 || status === 403) response.setHeader("connection", "close");
      sendJson(response, status, { message });
    });
  });
  server.headersTimeout = 10_000;
  server.maxConnections = mostConnections;
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      resolve({
        url: `http://127.0.0.1:${port}/#token=${token}`,
        close() {
          server.close();
          server.closeAllConnections();
        },
      });
    });
  });

  async function answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    requireOwnOrigin(request);
    const site = request.headers["sec-fetch-site"];
    if (site !== undefined && site !== "same-origin" && site !== "none")
      // A page on another port of this machine counts as another site.
      throw new Refusal(403, "requests from web pages are refused");
    const { url: target = "/" } = request;
    if (!target.startsWith("/")) throw new Refusal(400, "that is no path");
    // Concatenated rather than resolved, as a target that starts with `//` would name another host.
    const url = new URL(`http://127.0.0.1${target}`);
    const name = `${request.method} ${url.pathname}`;
    if (name === "GET /") return send(response, "text/html; charset=utf-8", htmlOfPage());
    if (name === "GET /page.js") return send(response, "text/javascript; charset=utf-8", assets.script);
    if (name === "GET /page.css") return send(response, "text/css; charset=utf-8", assets.style);
    if (!hasToken(request)) throw new Refusal(401, "the token is missing or not of this run");
    switch (name) {
      case "GET /events":
        return follow(request, response);
      case "GET /log":
        return sendJson(response, 200, source.model.logs.after(wholeNumber(url.searchParams.get("after"))));
      case "GET /node": {
        const details = source.details(url.searchParams.get("id") ?? "", url.searchParams.get("run") ?? undefined);
        if (details === undefined) throw new Refusal(404, "there is no such function or service");
        return sendJson(response, 200, details);
      }
      case "GET /history":
        return sendJson(response, 200, source.history());
      case "GET /snapshot":
        return send(response, "text/html; charset=utf-8", snapshotHtml(source));
      case "POST /do": {
        if (!/^application\/json\b/.test(request.headers["content-type"] ?? ""))
          throw new Refusal(415, "the body must be application/json");
        source.carryOut(commandOf(await readBody(request)));
        return sendJson(response, 200, {});
      }
      default:
        throw new Refusal(404, `nothing at ${name}`);
    }
  }

  function hasToken(request: http.IncomingMessage): boolean {
    const given = Buffer.from(/^Bearer (\S+)$/.exec(request.headers.authorization ?? "")?.[1] ?? "");
    const wanted = Buffer.from(token);
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  }

  function follow(request: http.IncomingMessage, response: http.ServerResponse): void {
    if (followers >= mostFollowers) throw new Refusal(429, "too many pages are open");
    followers++;
    response.writeHead(200, { "content-type": "text/event-stream" });
    const last = request.headers["last-event-id"];
    const write = (text: string): void => {
      response.write(text);
      if (response.writableLength > mostUnread) response.destroy();
    };
    const stop = source.model.feed.subscribe(typeof last === "string" ? last : undefined, ({ id, event, data }) =>
      write(`id: ${id}\nevent: ${event}\ndata: ${data}\n\n`),
    );
    const heartbeat = setInterval(() => write(": here\n\n"), heartbeatMs);
    response.once("close", () => {
      followers--;
      clearInterval(heartbeat);
      stop();
    });
  }
}

const headers = {
  "content-security-policy": `${livePolicy}; frame-ancestors 'none'`,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-store",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
} as const;

function refusalOf(error: unknown): { status: number; message: string } {
  if (error instanceof Refusal) return { status: error.status, message: error.message };
  if (error instanceof UserError) return { status: 400, message: error.format() };
  console.error(error);
  return { status: 500, message: "that is a bug in fastloop; the command's own output says more" };
}

function send(response: http.ServerResponse, type: string, text: string): void {
  response.writeHead(200, { "content-type": type, "content-length": Buffer.byteLength(text) });
  response.end(text);
}

function sendJson(response: http.ServerResponse, status: number, value: unknown): void {
  const text = JSON.stringify(value);
  response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
  response.end(text);
}

function wholeNumber(text: string | null): number {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : 0;
}

async function readBody(request: http.IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  // The refusal below must not destroy the request: its answer uses the same socket.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > longestBody) throw new Refusal(413, `a request may have at most ${longestBody} bytes`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8")) as unknown;
  } catch {
    throw new Refusal(400, "that is no JSON");
  }
}
