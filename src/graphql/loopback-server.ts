/**
 * A GraphQL endpoint on loopback. Other users of this machine and web pages in its browsers can reach the port: a request
 * needs a known token, a loopback Host (DNS rebinding) and no foreign Origin, and must be JSON (a form can't be).
 */
import http from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Budget } from "../async/index.ts";
import { jsonPieces, unhurried } from "./json-pieces.ts";
import { requestBeside } from "./parse-thread.ts";
import type { GraphqlRequest } from "./request-body.ts";

export interface LoopbackServer {
  readonly port: number;
  close(): void;
}

export interface RequestContext {
  callId?: string;
  /** What the client can read (`Accept`). */
  accept: string;
  /** Aborted when the client closes the request. */
  gone: AbortSignal;
  /** Resolves when the client has read the answer or is gone. */
  isRead: Promise<void>;
}

/** JSON as a text, or a value to be written as JSON. */
export type Answer = {
  status: number;
  /** `application/json` when absent. */
  contentType?: string;
} & ({ text: string | Buffer } | { json: unknown });

export interface LoopbackOptions<Client> {
  /** Whose token it is. */
  find(token: string): Client | undefined;
  /** A request is worked on from now on; what it returns says that its answer is read. */
  working?(): () => void;
  /** What it throws after the client is gone is nobody's error. */
  answer(client: Client, request: GraphqlRequest, context: RequestContext): Promise<Answer>;
  onError(error: unknown): void;
}

/** A document carries file contents (`withNewFile`). */
const maxBodyBytes = 128 * 1024 * 1024;
/** Of all requests with one token, from their first byte to the end of their answer: what is more waits. */
const maxBytesOfClient = 4 * maxBodyBytes;
/** Requests of one token that are parsed beside others at a time. */
const maxThreadsOfClient = 2;

/** What the requests with one token have taken. */
interface Share {
  readonly bytes: Budget;
  readonly threads: Budget;
}

/** A request that is answered with an HTTP error. */
export class Refusal extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export function startLoopbackServer<Client>(options: LoopbackOptions<Client>): Promise<LoopbackServer> {
  const shares = new Shares();
  const server = http.createServer((request, response) => {
    void answer(request, response, options, shares).catch((error: unknown) => {
      if (response.headersSent || response.destroyed) return;
      if (!(error instanceof Refusal)) options.onError(error);
      const status = error instanceof Refusal ? error.status : 500;
      const message = error instanceof Error ? error.message : String(error);
      if (status === 401) response.setHeader("www-authenticate", 'Basic realm="fastloop"');
      // The rest of a body that nobody reads would be taken for the next request.
      if (!request.complete) response.setHeader("connection", "close");
      sendText(response, status, JSON.stringify({ errors: [{ message }] }));
    });
  });
  // Clients decide when a kept connection ends: a server that closes it first races with their next request.
  server.keepAliveTimeout = 0;
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
    const body = await requestBeside(await readBody(request), gone.signal, threads);
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

/** By token, as long as one of its requests is there. */
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

/** As much as it may have where it doesn't say. */
function announcedBytes(request: http.IncomingMessage): number {
  const text = request.headers["content-length"] ?? "";
  return /^\d{1,9}$/.test(text) ? Math.min(Number(text), maxBodyBytes) : maxBodyBytes;
}

/** Throws where a name that leads to loopback (DNS rebinding), or a page of another origin, asks. */
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

/** Basic authentication with the token as the user, as every Dagger SDK sends it. */
function tokenOf(authorization: string | undefined): string {
  const encoded = /^Basic\s+(\S+)$/i.exec(authorization ?? "")?.[1];
  return encoded === undefined ? "" : (Buffer.from(encoded, "base64").toString("utf8").split(":")[0] ?? "");
}

async function readBody(request: http.IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  // Not destroyed by the refusal below: its answer goes by the same socket.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBodyBytes) throw new Refusal(413, `a request may have at most ${maxBodyBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Resolves when the client has read it, or is gone. */
async function send(response: http.ServerResponse, answer: Answer): Promise<void> {
  const { status, contentType } = answer;
  if ("text" in answer) return sendText(response, status, answer.text, contentType);
  const pieces = jsonPieces(answer.json);
  const first = pieces.next();
  const second = pieces.next();
  if (second.done === true) return sendText(response, status, first.done === true ? "" : first.value, contentType);
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
