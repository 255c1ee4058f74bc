import { type ClientDuplexStream, type ClientReadableStream, Client, Metadata } from "@grpc/grpc-js";
import { fromCallError } from "./grpc-error.ts";
import type { Method } from "./messages.ts";
import { insecureWithoutLongTrailers } from "./trailers.ts";

/** 64 MiB, for a file that BuildKit returns in one message or a definition with inlined files. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

/** Flow-control window per stream. It is large because exports and status streams share one connection. */
const WINDOW_BYTES = 4 * 1024 * 1024;

export interface CallOptions {
  signal?: AbortSignal | undefined;
  metadata?: Metadata;
}

/** One connection to the daemon, shared by all calls of this process. */
export class Channel {
  readonly #client: Client;

  constructor(address: string) {
    this.#client = new Client(grpcTarget(address), insecureWithoutLongTrailers(), {
      "grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
      "grpc.max_send_message_length": MAX_MESSAGE_BYTES,
      "grpc-node.flow_control_window": WINDOW_BYTES,
      // buildkitd keeps gRPC's default policy and disconnects clients that ping more often than every five minutes.
      "grpc.keepalive_time_ms": 6 * 60_000,
      "grpc.keepalive_timeout_ms": 20_000,
      "grpc.enable_retries": 0,
      "grpc.max_reconnect_backoff_ms": 2_000,
      "grpc.initial_reconnect_backoff_ms": 100,
      // A fixed name for any address; BuildKit ignores it.
      "grpc.default_authority": "localhost",
    });
  }

  ready(timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#client.waitForReady(Date.now() + timeoutMs, (error) => (error === undefined ? resolve() : reject(error)));
    });
  }

  /** Makes a unary call. Aborting the signal cancels the call in the daemon and rejects with the signal's reason. */
  unary<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    options: CallOptions = {},
  ): Promise<Response> {
    const { signal, metadata = new Metadata() } = options;
    return new Promise<Response>((resolve, reject) => {
      signal?.throwIfAborted();
      const call = this.#client.makeUnaryRequest(
        method.path,
        method.serialize,
        method.deserialize,
        request,
        metadata,
        (error, response) => {
          signal?.removeEventListener("abort", cancel);
          if (error === null && response !== undefined) resolve(response);
          else reject(signal?.aborted === true ? reasonOf(signal) : fromCallError(error));
        },
      );
      const cancel = (): void => call.cancel();
      signal?.addEventListener("abort", cancel, { once: true });
    });
  }

  serverStream<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    metadata = new Metadata(),
  ): ClientReadableStream<Response> {
    return this.#client.makeServerStreamRequest(method.path, method.serialize, method.deserialize, request, metadata);
  }

  duplex<Request, Response>(
    method: Method<Request, Response>,
    metadata = new Metadata(),
  ): ClientDuplexStream<Request, Response> {
    return this.#client.makeBidiStreamRequest(method.path, method.serialize, method.deserialize, metadata);
  }

  close(): void {
    this.#client.close();
  }
}

function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error(`aborted: ${String(signal.reason)}`);
}

/** Converts `unix:///path`, `tcp://host:port` or `host:port` to a gRPC target. */
export function grpcTarget(address: string): string {
  if (address.startsWith("unix://")) return `unix:${address.slice("unix://".length)}`;
  if (address.startsWith("tcp://")) return address.slice("tcp://".length);
  return address;
}
