/**
 * Serves a GraphQL endpoint on loopback. Other users of the machine and web pages in its browsers can reach the port. A
 * request therefore needs a known token, a loopback Host (against DNS rebinding) and no foreign Origin, and must be
 * JSON (which a form cannot send).
 */
import http from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { finished, pipeline } from "node:stream/promises";
import { Budget } from "../async/index.ts";
import { jsonPieces, unhurried } from "./json-pieces.ts";
import { parseRequestInThread } from "./parse-thread.ts";
import type { GraphqlRequest } from "./request-body.ts";

export interface LoopbackServer {
  readonly port: number;
  close(): void;
}

export interface RequestContext {
  callId?: string;
  /** Content types that the client accepts (`Accept`). */
  accept: string;
  /** Aborted when the client closes the request. */
  gone: AbortSignal;
  /** Resolves when this process holds nothing of the answer any more: it was sent, or the client disconnected. */
  isRead: Promise<void>;
}

/** An answer as text, or as a value to write as JSON. */
export type Answer = {
  status: number;
  /** `application/json` when absent. */
  contentType?: string;
} & ({ text: string | Buffer } | { json: unknown });

export interface LoopbackOptions<Client> {
  /** Returns the client that a token belongs to. */
  find(token: string): Client | undefined;
  /** Called when work on a request starts. The returned function is called when the answer has been read. */
  working?(): () => void;
  /** Answers a request. Errors after the client has disconnected are ignored. */
  answer(client: Client, request: GraphqlRequest, context: RequestContext): Promise<Answer>;
  onError(error: unknown): void;
  /** How long a connection may stay without a whole head of a request, in milliseconds. */
  headersTimeoutMs?: number;
}

/**
 * Limit on open connections. Any user of the machine can connect; an idle connection costs 8 KB and a file descriptor,
 * and without these the daemon could serve nobody. A function's process may hold less than half as many.
 */
const mostConnections = 10_000;
const checkingMs = 1000;

/** Limit on a request, whose document can contain file contents (`withNewFile`). */
const maxBodyBytes = 128 * 1024 * 1024;
/** Limit on all requests with one token, each from its first byte to the end of its answer. Further requests wait. */
const maxBytesOfClient = 4 * maxBodyBytes;
/** Number of requests with one token that are parsed in threads at a time. */
const maxThreadsOfClient = 2;

/** Resources that the requests with one token share. */
interface Share {
  readonly bytes: Budget;
  readonly threads: Budget;
}

/** An error that is answered with an HTTP status. */
export class Refusal extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Starts a server on a free port of 127.0.0.1. */
export function startLoopbackServer<Client>(options: LoopbackOptions<Client>): Promise<LoopbackServer> {
  const shares = new Shares();
  const server = http.createServer({ connectionsCheckingInterval: checkingMs }, (request, response) => {
    void answer(request, response, options, shares).catch((error: unknown) => {
      if (response.headersSent || response.destroyed) return;
      if (!(error instanceof Refusal)) options.onError(error);
      const status = error instanceof Refusal ? error.status : 500;
      const message = error instanceof Error ? error.message : String(error);
      if (status === 401) response.setHeader("www-authenticate", 'Basic realm="fastloop"');
      // The unread rest of a body would be taken for the next request, and who is refused need not stay.
      if (!request.complete || (error instanceof Refusal && error.status < 500))
        response.setHeader("connection", "close");
      sendText(response, status, JSON.stringify({ errors: [{ message }] }));
    });
  });
  // Clients decide when a kept connection ends. A server that closes it first races with their next request.
  server.keepAliveTimeout = 0;
  server.headersTimeout = options.headersTimeoutMs ?? 30_000;
  server.maxConnections = mostConnections;
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      resolve({
        port,
        close() {
          server.close();
          server.closeAllConnections();
        },
      });
    });
  });
}

async function answer<Client>(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  options: LoopbackOptions<Client>,
  shares: Shares,
) {
  const client = admit(request, options.find);
  const gone = new AbortController();
  response.once("close", () => {
    if (!response.writableFinished) gone.abort(new Error("the client closed the request"));
  });
  const callId = request.headers["x-fastloop-call"];
  const done = options.working?.();
  let read: () => void = () => undefined;
  const isRead = new Promise<void>((resolve) => (read = resolve));
  const { bytes, threads } = shares.of(tokenOf(request.headers.authorization));
  let give: (() => void) | undefined;
  try {
    give = await bytes.take(announcedBytes(request), gone.signal);
    const body = await parseRequestInThread(await readBody(request), gone.signal, threads);
    if (typeof body === "string") throw new Refusal(400, body);
    const result = await options.answer(client, body, {
      gone: gone.signal,
      isRead,
      accept: request.headers.accept ?? "",
      ...(typeof callId === "string" && callId !== "" ? { callId } : {}),
    });
    if (!response.destroyed) await send(response, result);
  } catch (error) {
    if (!gone.signal.aborted) throw error;
  } finally {
    read();
    give?.();
    done?.();
  }
}

/** Shares by token, kept while the token has a request. */
class Shares {
  private readonly byToken = new Map<string, Share>();

  of(token: string): Share {
    for (const [other, { bytes }] of this.byToken) if (other !== token && bytes.isWhole) this.byToken.delete(other);
    const known = this.byToken.get(token);
    const share = known ?? { bytes: new Budget(maxBytesOfClient), threads: new Budget(maxThreadsOfClient) };
    if (known === undefined) this.byToken.set(token, share);
    return share;
  }
}

/** Returns the announced length of a request, or the maximum when there is none. */
function announcedBytes(request: http.IncomingMessage): number {
  const text = request.headers["content-length"] ?? "";
  return /^\d{1,9}$/.test(text) ? Math.min(Number(text), maxBodyBytes) : maxBodyBytes;
}

/**
 * Throws a `Refusal` for a request through a name that resolves to loopback (DNS rebinding), or from a page of another
 * origin.
 */
export function requireOwnOrigin(request: http.IncomingMessage): void {
  const port = request.socket.localPort;
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`];
  if (!hosts.includes(request.headers.host ?? ""))
    throw new Refusal(403, "this server is for the loopback address only");
  const { origin } = request.headers;
  if (origin !== undefined && !hosts.some((host) => origin === `http://${host}`)) {
    throw new Refusal(403, "requests from web pages are refused");
  }
}

function admit<Client>(request: http.IncomingMessage, find: LoopbackOptions<Client>["find"]): Client {
  requireOwnOrigin(request);
  if (request.url?.split("?")[0] !== "/query") throw new Refusal(404, "only /query is served");
  const client = find(tokenOf(request.headers.authorization));
  if (client === undefined) throw new Refusal(401, "no open session has this token");
  if (request.method !== "POST") throw new Refusal(405, "only POST is served");
  if (!/^application\/json\b/.test(request.headers["content-type"] ?? "")) {
    throw new Refusal(415, "the body must be application/json");
  }
  return client;
}

/** Reads the token from Basic authentication, where every Dagger SDK sends it as the user. */
function tokenOf(authorization: string | undefined): string {
  const encoded = /^Basic\s+(\S+)$/i.exec(authorization ?? "")?.[1];
  return encoded === undefined ? "" : (Buffer.from(encoded, "base64").toString("utf8").split(":")[0] ?? "");
}

async function readBody(request: http.IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  // The refusal below must not destroy the request, because its answer uses the same socket.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBodyBytes) throw new Refusal(413, `a request may have at most ${maxBodyBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Sends an answer. Resolves when all of it is on its way to the client; rejects when the client disconnects first. */
async function send(response: http.ServerResponse, answer: Answer): Promise<void> {
  const { status, contentType } = answer;
  const whole = async (text: string | Buffer): Promise<void> => {
    sendText(response, status, text, contentType);
    await finished(response);
  };
  if ("text" in answer) return await whole(answer.text);
  const pieces = jsonPieces(answer.json);
  const first = pieces.next();
  const second = pieces.next();
  if (second.done === true) return await whole(first.done === true ? "" : first.value);
  response.writeHead(status, { "content-type": contentType ?? "application/json" });
  response.write(first.value);
  response.write(second.value);
  await pipeline(Readable.from(unhurried(pieces)), response);
}

function sendText(
  response: http.ServerResponse,
  status: number,
  text: string | Buffer,
  contentType = "application/json",
): void {
  response.writeHead(status, { "content-type": contentType, "content-length": Buffer.byteLength(text) });
  response.end(text);
}
