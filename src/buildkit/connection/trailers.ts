import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { ChannelCredentials } from "@grpc/grpc-js";
import { LongTrailerFilter } from "./trailer-filter.ts";

/**
 * BuildKit ends a failed call with trailers that contain the whole operation: an inlined file, a long script, the text
 * of the Dockerfile. A field over 64 KiB is an error in Node's HTTP/2. After it the connection reads nothing and
 * reports nothing, so that all sessions of the engine wait forever (https://github.com/grpc/grpc-node/issues/2399;
 * before it #1533). These credentials shorten such fields before Node sees them. `_createSecureConnector` is private,
 * so grpc-js is pinned exactly.
 */
export function insecureWithoutLongTrailers(): ChannelCredentials {
  const plain = ChannelCredentials.createInsecure();
  const make = plain._createSecureConnector.bind(plain);
  plain._createSecureConnector = (...given) => {
    const connector = make(...given);
    return {
      connect: (socket) =>
        Promise.resolve({ socket: new WithoutLongTrailers(socket) as unknown as Socket, secure: false }),
      waitForReady: () => connector.waitForReady(),
      getCallCredentials: () => connector.getCallCredentials(),
      destroy: () => connector.destroy(),
    };
  };
  return plain;
}

/** A connection to a gRPC server that shortens long trailers in transit. */
export class WithoutLongTrailers extends Duplex {
  readonly #socket: Duplex;

  constructor(socket: Duplex) {
    super();
    this.#socket = socket;
    const filter = new LongTrailerFilter();
    socket.on("data", (chunk: Buffer) => {
      for (const piece of filter.take(chunk)) if (!this.push(piece)) socket.pause();
    });
    socket.on("end", () => this.push(null));
    socket.on("error", (error) => this.destroy(error));
    // Data that was read but not yet consumed, such as a call's last trailers, is delivered first.
    socket.on("close", () => (this.readableLength === 0 ? this.destroy() : this.once("end", () => this.destroy())));
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#socket.cork();
    for (const [index, { chunk }] of chunks.entries())
      this.#socket.write(chunk, index === chunks.length - 1 ? done : undefined);
    this.#socket.uncork();
  }

  override _final(done: () => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }
}
