import { Metadata, status } from "@grpc/grpc-js";
import { withinMs } from "../../async/index.ts";
import type { Channel } from "../connection/channel.ts";
import { control } from "../connection/messages.ts";
import { codec } from "../proto/codec.ts";
import { type Handler, serveConnection, unary } from "./grpc-server.ts";
import { sessionStream } from "./stream.ts";

/** Services that BuildKit calls back. Builds and `local://` sources refer to the session by its id. */
export interface Session {
  readonly id: string;
  readonly closed: boolean;
  /**
   * Closes the session. Resolves when the daemon has forgotten the id. No other session may use the id before that,
   * because the daemon would forget it too.
   */
  close(): Promise<void>;
}

/** If the daemon does not confirm the session's end within this time, it is assumed to have lost it. */
const CLOSE_TIMEOUT_MS = 10_000;

/** A session that ends sooner than this was refused. BuildKit drops a session only after two failed health checks. */
const DROPPED_AFTER_MS = 2_000;

const SERVING = 1;
const healthRequest = codec<{ service: string }>("session.HealthCheckRequest");
const healthResponse = codec<{ status: number }>("session.HealthCheckResponse");

/** BuildKit checks every five seconds, and drops a session that fails twice in a row. */
export const healthCheck = "/grpc.health.v1.Health/Check";
const health: [string, Handler] = [
  healthCheck,
  unary(healthRequest.decode, healthResponse.encode, async () => ({ status: SERVING })),
];

/**
 * Opens a session. It can be used at once, because BuildKit waits for ids that it does not know yet.
 *
 *    open ──close──▶ closing ──the daemon forgot the id──▶ closed
 *     │ ▲
 *     ▼ └─ dropped: this process was too slow for the health checks, as on a machine without idle CPU
 *    closed: the daemon is gone or refused the session
 *
 * A dropped session is reopened under the same id, because solves and running containers refer to it as long as they
 * last.
 */
export function openSession(channel: Channel, id: string, services: Iterable<readonly [string, Handler]>): Session {
  const handlers = new Map<string, Handler>([health, ...services]);
  const metadata = new Metadata();
  metadata.set("x-docker-expose-session-uuid", id);
  metadata.set("x-docker-expose-session-name", "fastloop");
  metadata.set("x-docker-expose-session-sharedkey", "");
  for (const path of handlers.keys()) metadata.add("x-docker-expose-session-grpc-method", path);

  let closing: Promise<void> | undefined;
  let lost = false;
  const connect = () => {
    const openedMs = performance.now();
    const call = channel.duplex(control.session, metadata);
    const stream = sessionStream(call);
    const over = new Promise<void>((resolve) => {
      call.once("status", ({ code }) => {
        resolve();
        if (closing !== undefined) return;
        lost = code === status.UNAVAILABLE || performance.now() - openedMs < DROPPED_AFTER_MS;
        if (!lost) connection = connect();
      });
    });
    stream.on("error", () => stream.destroy());
    serveConnection(stream, handlers);
    return { call, stream, over };
  };
  let connection = connect();
  return {
    id,
    get closed() {
      return closing !== undefined || lost;
    },
    close: () => {
      const { call, stream, over } = connection;
      // End rather than cancel the call: a canceled call does not report when the daemon has forgotten the session.
      call.end();
      return (closing ??= withinMs(over, CLOSE_TIMEOUT_MS).finally(() => {
        stream.destroy();
        call.cancel();
      }));
    },
  };
}
