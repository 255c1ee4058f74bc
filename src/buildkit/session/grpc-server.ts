import { once } from "node:events";
import http2 from "node:http2";
import type { Duplex } from "node:stream";
import { Deframer, frame } from "../connection/framing.ts";

/**
 * A gRPC server for one connection. `@grpc/grpc-js` makes one HTTP/2 write per message, with which the 50,000 stats of
 * a tree take seconds. Here a call writes buffers of many framed messages.
 */
export interface ServerCall {
  readonly metadata: http2.IncomingHttpHeaders;
  /** Aborted when the peer cancels the call or the connection closes. */
  readonly signal: AbortSignal;
  /** Yields the peer's messages until it has sent the last one. */
  messages(): AsyncIterable<Buffer>;
  /** Writes framed messages. Resolves when there is room for more. */
  write(framed: Buffer): Promise<void>;
}

export type Handler = (call: ServerCall) => Promise<void>;

/** The status with which a handler ends its call. Any other error becomes `unknown` (2). */
export class StatusError extends Error {
  override readonly name = "StatusError";
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

export const StatusCode = { ok: 0, unknown: 2, notFound: 5, unimplemented: 12, unavailable: 14 } as const;

const WINDOW_BYTES = 4 * 1024 * 1024;

/** Returns a handler for one request and one response. */
export function unary<Request, Response>(
  decode: (bytes: Buffer) => Request,
  encode: (response: Response) => Uint8Array,
  handle: (request: Request, signal: AbortSignal) => Promise<Response>,
): Handler {
  return async (call) => {
    for await (const message of call.messages()) {
      await call.write(frame(encode(await handle(decode(message), call.signal))));
      return;
    }
    throw new StatusError(StatusCode.unknown, "the call carried no request");
  };
}

/** Serves calls by their path (`/package.Service/Method`) until the connection closes. */
export function serveConnection(connection: Duplex, handlers: ReadonlyMap<string, Handler>): void {
  const server = http2.createServer({ settings: { initialWindowSize: WINDOW_BYTES }, maxSessionMemory: 1024 });
  server.on("session", (session) => {
    session.setLocalWindowSize(4 * WINDOW_BYTES);
    session.on("error", () => connection.destroy());
    session.on("close", () => connection.destroy());
  });
  server.on("stream", (stream, headers) => void serveCall(stream, headers, handlers));
  server.emit("connection", connection);
}

async function serveCall(
  stream: http2.ServerHttp2Stream,
  headers: http2.IncomingHttpHeaders,
  handlers: ReadonlyMap<string, Handler>,
): Promise<void> {
  const aborter = new AbortController();
  let status: { code: number; message: string } = { code: StatusCode.ok, message: "" };
  stream.on("close", () => aborter.abort());
  stream.on("error", () => aborter.abort());
  stream.on("wantTrailers", () => {
    stream.sendTrailers({ "grpc-status": String(status.code), "grpc-message": encodeURIComponent(status.message) });
  });
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });

  const call: ServerCall = {
    metadata: headers,
    signal: aborter.signal,
    messages: () => readMessages(stream),
    write: (framed) => write(stream, framed, aborter.signal),
  };
  try {
    const handler = handlers.get(headers[":path"] ?? "");
    if (handler === undefined)
      throw new StatusError(StatusCode.unimplemented, `not served: ${headers[":path"] ?? "no path"}`);
    await handler(call);
  } catch (error) {
    const code = error instanceof StatusError ? error.code : StatusCode.unknown;
    status = { code, message: error instanceof Error ? error.message : String(error) };
  }
  if (stream.destroyed) return;
  stream.resume();
  stream.end();
}

async function* readMessages(stream: http2.ServerHttp2Stream): AsyncGenerator<Buffer> {
  const deframer = new Deframer();
  // A handler may answer before it has read everything, so leaving the loop must not reset the stream.
  const chunks: AsyncIterable<Buffer> = stream.iterator({ destroyOnReturn: false });
  for await (const chunk of chunks) yield* deframer.push(chunk);
}

async function write(stream: http2.ServerHttp2Stream, framed: Buffer, signal: AbortSignal): Promise<void> {
  const left = (cause?: unknown): Error => new Error("the peer has left the call", { cause });
  if (signal.aborted || stream.destroyed) throw left();
  if (stream.write(framed)) return;
  await once(stream, "drain", { signal }).catch((cause: unknown) => {
    throw left(cause);
  });
}
