import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { randomBytes } from "node:crypto";
import path from "node:path";
import { openApiSession, type ApiSession } from "../../src/engine/embedded/api/index.ts";
import { connectBuildkit, type BuildkitClient } from "../../src/engine/embedded/buildkit/index.ts";
import type { EngineEvent } from "../../src/engine/types.ts";

/** A session that conformance cases run in: `DAGGER_SESSION_PORT` and `DAGGER_SESSION_TOKEN` of some engine. */
export interface ConformanceSession {
  readonly port: number;
  readonly token: string;
  /** `embedded` when this process serves it, else whatever the environment named. */
  readonly engine: "embedded" | "environment";
  /** Events of the embedded engine so far. */
  readonly events: readonly EngineEvent[];
  close(): Promise<void>;
}

export interface ConformanceSessionOptions {
  workdir: string;
  /** Variables of the client, for `env://` secrets. */
  env?: Record<string, string>;
}

/** Whether the environment names an engine to run against. */
export const engineIsNamed = process.env["DAGGER_SESSION_PORT"] !== undefined || process.env["FASTLOOP_TEST_BUILDKIT"] !== undefined;

/**
 * The session that the environment names, or one of the embedded engine, served by this process on the BuildKit daemon
 * at `FASTLOOP_TEST_BUILDKIT` with the shim below `FASTLOOP_TEST_SHIM` (`amd64/shim`, `arm64/shim`).
 */
export async function openConformanceSession(options: ConformanceSessionOptions): Promise<ConformanceSession> {
  const port = process.env["DAGGER_SESSION_PORT"];
  if (port !== undefined) {
    const token = process.env["DAGGER_SESSION_TOKEN"] ?? "";
    return { port: Number(port), token, engine: "environment", events: [], close: async () => undefined };
  }
  const address = process.env["FASTLOOP_TEST_BUILDKIT"];
  if (address === undefined) throw new Error("set DAGGER_SESSION_PORT and DAGGER_SESSION_TOKEN, or FASTLOOP_TEST_BUILDKIT");
  const buildkit = await connectBuildkit(address);
  const events: EngineEvent[] = [];
  const session = await openApiSession({
    buildkit,
    workdir: options.workdir,
    shimDirectory: async (architecture) => path.join(process.env["FASTLOOP_TEST_SHIM"] ?? "dist/shim", architecture),
    hostTrust: async () => ({ environment: {} }),
    onEvent: (event) => events.push(event),
    env: { ...(process.env as Record<string, string>), ...options.env },
  });
  const token = randomBytes(16).toString("hex");
  const server = await serve(session, token);
  return {
    port: (server.address() as AddressInfo).port,
    token,
    engine: "embedded",
    events,
    close: () => closeAll(server, session, buildkit),
  };
}

async function closeAll(server: Server, session: ApiSession, buildkit: BuildkitClient): Promise<void> {
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  await session.close();
  await buildkit.close();
}

/** The least that an SDK needs: `POST /query` on loopback with the token. */
async function serve(session: ApiSession, token: string): Promise<Server> {
  const expected = `Basic ${Buffer.from(`${token}:`).toString("base64")}`;
  const server = createServer((request, response) => {
    void (async () => {
      if (request.headers.authorization !== expected || request.url !== "/query") {
        response.writeHead(401).end();
        return;
      }
      const aborter = new AbortController();
      response.on("close", () => aborter.abort());
      const callId = request.headers["x-fastloop-call"];
      const answer = await session.execute(JSON.parse(await bodyOf(request)) as { query: string }, {
        signal: aborter.signal,
        ...(typeof callId === "string" ? { callId } : {}),
      });
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
    })().catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString("utf8");
}
