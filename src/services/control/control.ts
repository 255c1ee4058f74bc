/**
 * Control server of the process that has a project up: HTTP on a unix socket in a 0700 folder, with a secret on every
 * request.
 */
import { rmSync } from "node:fs";
import http from "node:http";
import type { Duplex } from "node:stream";
import { makeControlSecret, showsSecret } from "../../engine-daemon/index.ts";
import { UserError } from "../../errors/index.ts";
import type { UpPlace } from "./place.ts";
import type { UpEvent, UpStatus } from "../types.ts";

export interface ControlledUp {
  status(): UpStatus;
  restart(names: readonly string[]): Promise<void>;
  /** Resolves when all services have stopped. */
  down(): Promise<void>;
  /** Connects a terminal to a service. */
  shell(name: string, command: readonly string[], line: Duplex): Promise<void>;
  subscribe(listener: (event: UpEvent) => void): () => void;
}

export const shellProtocol = "fastloop-up-shell";
export const upHeaders = { service: "x-fastloop-service", command: "x-fastloop-command" } as const;

/** A follower that reads more slowly than its services write is let go. */
const mostUnread = 16 * 1024 * 1024;
const mostConnections = 500;
const headersTimeoutMs = 5000;

export interface UpControl {
  close(): void;
}

/** Listens on the control socket; serves requests until `close`. */
export function serveControl(place: UpPlace, up: ControlledUp): Promise<UpControl> {
  const secret = makeControlSecret(place.folder);
  const server = http.createServer({ connectionsCheckingInterval: 1000 }, (request, response) => {
    if (!showsSecret(request, secret)) {
      response.setHeader("connection", "close");
      return reply(response, 401, { message: "the secret is missing" });
    }
    route(request, response, up).catch((error: unknown) => {
      if (request.socket.destroyed) return;
      if (!(error instanceof UserError)) console.error(error);
      if (!request.complete) response.setHeader("connection", "close");
      reply(response, 400, error instanceof UserError ? { ...error.toJSON() } : { message: String(error) });
    });
  });
  server.on("upgrade", (request, socket) => {
    socket.on("error", () => undefined);
    if (!showsSecret(request, secret) || request.headers.upgrade !== shellProtocol)
      return void socket.end("HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n");
    void openShell(request, socket, up);
  });
  server.headersTimeout = headersTimeoutMs;
  server.maxConnections = mostConnections;
  rmSync(place.socket, { force: true });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(place.socket, () =>
      resolve({
        close() {
          server.close();
          server.closeAllConnections();
          rmSync(place.socket, { force: true });
        },
      }),
    );
  });
}

async function route(request: http.IncomingMessage, response: http.ServerResponse, up: ControlledUp): Promise<void> {
  switch (`${request.method} ${request.url}`) {
    case "GET /status":
      return reply(response, 200, up.status());
    case "GET /events":
      return follow(response, up);
    case "POST /restart":
      await up.restart(namesOf(await readBody(request)));
      return reply(response, 200, up.status());
    case "POST /down":
      await up.down();
      return reply(response, 200, {});
    default:
      return reply(response, 404, { message: `nothing at ${request.method} ${request.url}` });
  }
}

/** Streams the status, then one event a line, until either side ends. */
function follow(response: http.ServerResponse, up: ControlledUp): void {
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  response.write(`${JSON.stringify(up.status())}\n`);
  const stop = up.subscribe((event) => {
    response.write(`${JSON.stringify(event)}\n`);
    if (response.writableLength > mostUnread) response.destroy();
  });
  response.once("close", stop);
}

async function openShell(request: http.IncomingMessage, socket: Duplex, up: ControlledUp): Promise<void> {
  const header = (name: string): string => decodeURIComponent(String(request.headers[name] ?? ""));
  try {
    const command = JSON.parse(header(upHeaders.command)) as unknown;
    const words = Array.isArray(command) ? command.map(String) : [];
    await up.shell(header(upHeaders.service), words, socket);
  } catch (error) {
    const message = error instanceof UserError ? error.format() : String(error);
    if (socket.writable)
      socket.end(
        `HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: ${Buffer.byteLength(message)}\r\n\r\n${message}`,
      );
  }
}

function namesOf(body: unknown): string[] {
  const names = (body as { names?: unknown } | null)?.names;
  return Array.isArray(names) ? names.filter((name) => typeof name === "string") : [];
}

const longestBody = 1_000_000;

async function readBody(request: http.IncomingMessage): Promise<unknown> {
  let text = "";
  request.setEncoding("utf8");
  // The refusal below must not destroy the request: its answer uses the same socket.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<string>) {
    text += chunk;
    if (text.length > longestBody) throw new UserError("usage", "that is too long");
  }
  try {
    return JSON.parse(text === "" ? "{}" : text) as unknown;
  } catch {
    throw new UserError("usage", "that is no JSON");
  }
}

function reply(response: http.ServerResponse, status: number, body: unknown): void {
  if (response.headersSent) return;
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}
