/** The daemon's control server: HTTP over a unix socket in a 0700 folder. See protocol.ts. */
import { rmSync } from "node:fs";
import http from "node:http";
import type { Duplex } from "node:stream";
import type { EngineInfo } from "../../core-api/types.ts";
import type { BuildkitClient } from "../../buildkit/types.ts";
import {
  liveHeaders,
  liveProtocol,
  sessionLines,
  terminalHeaders,
  terminalProtocol,
  type DaemonStatus,
  type ExportCachesRequest,
  type ExportedCaches,
  type OpenSessionRequest,
  type PrunedDisk,
  type ServiceMemory,
  type ServiceMemoryRequest,
  type SessionLine,
  type SessionOpened,
  type StopRequest,
} from "./protocol.ts";
import { containerMemory } from "../buildkitd/container-memory.ts";
import { showsSecret } from "./control-secret.ts";
import { diskOf } from "./disk.ts";
import { peerOf } from "./peer.ts";
import type { Sessions } from "./sessions.ts";

export interface ControlOptions {
  socket: string;
  /** Secret that every request must carry. */
  secret: string;
  /** Writes to the daemon's log. */
  onNote(text: string): void;
  graphqlPort: number;
  buildId: string;
  sessions: Sessions;
  client(): Promise<BuildkitClient>;
  engineInfo(): EngineInfo;
  /** Returns at once, because the client may only want to know whether the daemon is alive. */
  status(): DaemonStatus;
  stop(reason: string): void;
  onError(error: unknown): void;
}

/** Limits for a process that connects and then says nothing: a daemon has some 1,000 file descriptors by default. */
const mostConnections = 500;
const headersTimeoutMs = 5000;
const checkingMs = 1000;

/** Limit of a request's body; the largest has an environment of some 2 MiB. */
const largestBody = 16 * 1024 * 1024;

/** Starts the server. Closing it also closes its connections and removes the socket. */
export function startControl(options: ControlOptions): Promise<{ close(): void }> {
  const server = http.createServer({ connectionsCheckingInterval: checkingMs }, (request, response) => {
    sendProcessing(response);
    route(request, response, options).catch((error: unknown) => {
      if (error instanceof RequestError) return reply(response, error.status, { message: error.message });
      options.onError(error);
      if (!response.headersSent)
        reply(response, 500, { message: error instanceof Error ? error.message : String(error) });
      else response.end();
    });
  });
  server.on("upgrade", (request, socket) => {
    if (showsSecret(request, options.secret)) {
      if (request.headers.upgrade === liveProtocol) void connectLive(request, socket, options.sessions);
      else connectTerminal(request, socket, options.sessions);
      return;
    }
    socket.on("error", () => undefined);
    socket.end("HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n");
  });
  server.keepAliveTimeout = 0;
  server.headersTimeout = headersTimeoutMs;
  server.maxConnections = mostConnections;
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.socket, () =>
      resolve({
        close() {
          server.close();
          server.closeAllConnections();
          rmSync(options.socket, { force: true });
        },
      }),
    );
  });
}

/** Interval of the signs of life for sessions and long requests. */
const workingMs = 1000;

/**
 * Sends `102 Processing` at once and then every second until there is an answer. By this, clients distinguish a slow
 * daemon from a hung one.
 */
function sendProcessing(response: http.ServerResponse): void {
  const tell = (): void => void (response.headersSent || response.destroyed || response.writeProcessing());
  tell();
  const timer = setInterval(() => (response.headersSent ? clearInterval(timer) : tell()), workingMs);
  response.once("close", () => clearInterval(timer));
}

async function route(request: http.IncomingMessage, response: http.ServerResponse, options: ControlOptions) {
  if (!showsSecret(request, options.secret)) {
    // Look up the peer before answering, because a client without the secret may leave with the answer.
    options.onNote(`refused a request without the secret on the control socket: ${await peerOf(request.socket)}`);
    return reply(response, 401, { message: "the control socket wants the secret of its state folder" });
  }
  switch (`${request.method} ${request.url}`) {
    case "GET /status":
      return reply(response, 200, options.status());
    case "POST /sessions":
      void peerOf(request.socket).then((who) => options.onNote(`a session for ${who}`));
      return openSession(await readJson<OpenSessionRequest>(request), response, options);
    case "POST /caches": {
      const { token } = await readJson<ExportCachesRequest>(request);
      const { session, isBody } = options.sessions.find(token) ?? {};
      if (session === undefined || isBody === true)
        return reply(response, 404, { message: "no open session has this token" });
      const gone = new AbortController();
      response.once("close", () => gone.abort(new Error("the client went away")));
      const signal = AbortSignal.any([session.signal, gone.signal]);
      return reply(response, 200, { notices: await session.api.exportCaches(signal) } satisfies ExportedCaches);
    }
    case "POST /memory": {
      const { token, service, limitBytes } = await readJson<ServiceMemoryRequest>(request);
      const { session, isBody } = options.sessions.find(token) ?? {};
      if (session === undefined || isBody === true)
        return reply(response, 404, { message: "no open session has this token" });
      const mark = session.api.liveMark(service);
      const memory = mark === undefined ? undefined : containerMemory(mark, limitBytes);
      return reply(response, 200, (memory ?? {}) satisfies ServiceMemory);
    }
    case "GET /disk":
      return reply(response, 200, await diskOf(await options.client()));
    case "POST /prune":
      return reply(response, 200, (await (await options.client()).prune({ all: true })) satisfies PrunedDisk);
    case "POST /stop": {
      const { force } = await readJson<StopRequest>(request);
      const sessions = options.sessions.count;
      if (sessions > 0 && force !== true) return reply(response, 409, { sessions });
      reply(response, 200, { sessions });
      return options.stop("asked to");
    }
    default:
      return reply(response, 404, { message: `nothing at ${request.method} ${request.url}` });
  }
}

/** Opens a session and streams lines until either side ends it. However a client dies, its connection closes. */
async function openSession(body: OpenSessionRequest, response: http.ServerResponse, options: ControlOptions) {
  const sameBuild = body.buildId === options.buildId;
  if (!sameBuild && options.sessions.count === 0) return reply(response, 409, { buildId: options.buildId });
  let gone = false;
  let ended = (): void => undefined;
  response.once("close", () => {
    gone = true;
    ended();
  });
  const write = (line: SessionLine): void => {
    if (!response.writableEnded && !response.destroyed) response.write(`${JSON.stringify(line)}\n`);
  };
  // Wait for a restarting BuildKit here. Nothing may be awaited between the session's start and the answer's first
  // line, because the session could end before that line.
  const client = await options.client();
  const engine = options.engineInfo();
  const session = await options.sessions.open(client, body, {
    onEvent: write,
    onTerminal: (id, name) => write({ kind: "terminal", id, name }),
    onClosed(reason) {
      write({ kind: "session-ended", reason });
      response.end();
    },
  });
  ended = () => void session.close("the client went away");
  if (gone) return ended();
  const opened: SessionOpened = {
    port: options.graphqlPort,
    token: session.token,
    bodyToken: session.bodyToken,
    engine,
  };
  const notices = [
    ...(sameBuild ? [] : ["the engine daemon is of another build and in use; it is replaced when nobody uses it"]),
    ...(session.notice === undefined ? [] : [session.notice]),
  ];
  if (notices.length > 0) opened.notice = notices.join("\n");
  response.writeHead(200, { "content-type": sessionLines });
  response.write(`${JSON.stringify(opened)}\n`);
  // Skip clients that do not read, which a debugger may have stopped.
  const tell = (): void => void (response.writableNeedDrain || write({ kind: "alive" }));
  tell();
  const timer = setInterval(tell, workingMs).unref();
  response.once("close", () => clearInterval(timer));
}

/** Connects the user's terminal with a program in a container; the upgraded connection is the line between them. */
function connectTerminal(request: http.IncomingMessage, line: Duplex, sessions: Sessions): void {
  line.on("error", () => undefined);
  const header = (name: string): string => String(request.headers[name] ?? "");
  const { session, isBody } = sessions.find(header(terminalHeaders.token)) ?? {};
  const known = session !== undefined && isBody === false && request.headers.upgrade === terminalProtocol;
  if (!known) return void line.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n");
  line.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${terminalProtocol}\r\n\r\n`);
  if (!session.api.connectTerminal(header(terminalHeaders.id), line)) line.end();
}

/** Connects a client with the helper in a service's container. */
async function connectLive(request: http.IncomingMessage, line: Duplex, sessions: Sessions): Promise<void> {
  line.on("error", () => undefined);
  const header = (name: string): string => String(request.headers[name] ?? "");
  const { session, isBody } = sessions.find(header(liveHeaders.token)) ?? {};
  try {
    if (session === undefined || isBody === true) throw new Error("no open session has this token");
    const helper = await session.api.connectLive(header(liveHeaders.service));
    helper.on("error", () => line.destroy());
    line.on("close", () => helper.destroy());
    helper.on("close", () => line.destroy());
    line.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${liveProtocol}\r\n\r\n`);
    line.pipe(helper);
    helper.pipe(line);
  } catch {
    line.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n");
  }
}

/** A request that is answered with this status, and is no error of the daemon. */
class RequestError extends Error {
  readonly status: number;
  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

async function readJson<T>(request: http.IncomingMessage): Promise<T> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > largestBody) throw new RequestError(413, `a request has more than ${largestBody} bytes`);
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString("utf8");
  if (text === "") return {} as T;
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw new RequestError(400, "a request is no JSON", { cause });
  }
}

function reply(response: http.ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}
