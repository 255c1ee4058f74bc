import { Metadata } from "@grpc/grpc-js";
import type { Channel } from "../channel.ts";
import { control } from "../messages.ts";
import { codec } from "../proto/codec.ts";
import { type Handler, serveConnection, unary } from "./grpc-server.ts";
import { sessionStream } from "./stream.ts";

/** Services that BuildKit calls back on this session; the id is what a build or a `local://` source names. */
export interface Session {
  readonly id: string;
  readonly closed: boolean;
  close(): void;
}

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

  const stream = sessionStream(channel.duplex(control.session, metadata));
  stream.on("error", () => stream.destroy());
  serveConnection(stream, handlers);
  return {
    id,
    get closed() {
      return stream.destroyed;
    },
    close: () => void stream.destroy(),
  };
}
