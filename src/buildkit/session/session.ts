import { Metadata } from "@grpc/grpc-js";
import { withinMs } from "../../async/index.ts";
import type { Channel } from "../connection/channel.ts";
import { control } from "../connection/messages.ts";
import { codec } from "../proto/codec.ts";
import { type Handler, serveConnection, unary } from "./grpc-server.ts";
import { sessionStream } from "./stream.ts";

/** Services that BuildKit calls back on this session; the id is what a build or a `local://` source names. */
export interface Session {
  readonly id: string;
  readonly closed: boolean;
  /** Resolves when the daemon has forgotten the id. Before that another session must not take it: it would be forgotten too. */
  close(): Promise<void>;
}

/** A daemon that does not say by then that the session is over has lost it. */
const CLOSE_TIMEOUT_MS = 10_000;

const SERVING = 1;
const healthRequest = codec<{ service: string }>("session.HealthCheckRequest");
const healthResponse = codec<{ status: number }>("session.HealthCheckResponse");

/** BuildKit asks every five seconds and drops a session that does not answer. */
const health: [string, Handler] = [
  "/grpc.health.v1.Health/Check",
  unary(healthRequest.decode, healthResponse.encode, async () => ({ status: SERVING })),
];

/** Opens a session; it is usable at once, BuildKit waits for the ids it does not know yet. */
export function openSession(channel: Channel, id: string, services: Iterable<readonly [string, Handler]>): Session {
  const handlers = new Map<string, Handler>([health, ...services]);
  const metadata = new Metadata();
  metadata.set("x-docker-expose-session-uuid", id);
  metadata.set("x-docker-expose-session-name", "fastloop");
  metadata.set("x-docker-expose-session-sharedkey", "");
  for (const path of handlers.keys()) metadata.add("x-docker-expose-session-grpc-method", path);

  const call = channel.duplex(control.session, metadata);
  const over = new Promise<void>((resolve) => call.once("status", () => resolve()));
  const stream = sessionStream(call);
  stream.on("error", () => stream.destroy());
  serveConnection(stream, handlers);
  let closing: Promise<void> | undefined;
  return {
    id,
    get closed() {
      return closing !== undefined || stream.destroyed;
    },
    close: () => {
      // Not cancelled: of a call that is cancelled nobody hears when it is over.
      call.end();
      return (closing ??= withinMs(over, CLOSE_TIMEOUT_MS).finally(() => stream.destroy()));
    },
  };
}
