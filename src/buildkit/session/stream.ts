import type { ClientDuplexStream } from "@grpc/grpc-js";
import { Duplex } from "node:stream";

type SessionCall = ClientDuplexStream<{ data: Uint8Array }, { data: Buffer }>;

/** Below BuildKit's receive limit of 16 MiB per message. */
const MAX_CHUNK_BYTES = 1024 * 1024;

/** The daemon ends the call within this time after its input has ended, or it is assumed to be stuck. */
const END_WITHIN_MS = 10_000;

/**
 * Returns `Control.Session` as a byte stream. Message boundaries have no meaning. Destroying it ends the call instead of
 * canceling it: a canceled call reports its status at once, and not when the daemon has forgotten the session. A session
 * reopened before that is forgotten together with the old one.
 */
export function sessionStream(call: SessionCall): Duplex {
  const send = (data: Uint8Array, done: (error?: Error | null) => void): void => {
    if (call.destroyed) done(new Error("the session is closed"));
    // Discard what is still answered after this side ended. An error would cancel the call before the daemon has
    // confirmed that it forgot the session.
    else if (call.writableEnded) done();
    else call.write({ data }, done);
  };
  let isOver = false;
  let stuck: NodeJS.Timeout | undefined;
  call.once("status", () => {
    isOver = true;
    clearTimeout(stuck);
  });
  const stream = new Duplex({
    readableHighWaterMark: 1024 * 1024,
    writableHighWaterMark: 1024 * 1024,
    read: () => void call.resume(),
    write: (chunk: Buffer, _encoding, done) => send(chunk, done),
    // HTTP/2 writes frame headers and payloads separately; join them into one message.
    writev: (chunks, done) => {
      const joined = Buffer.concat(chunks.map(({ chunk }) => chunk as Buffer));
      const sendFrom = (offset: number): void => {
        const end = Math.min(offset + MAX_CHUNK_BYTES, joined.length);
        send(joined.subarray(offset, end), (error) => {
          if ((error !== null && error !== undefined) || end === joined.length) done(error);
          else sendFrom(end);
        });
      };
      sendFrom(0);
    },
    final: (done) => {
      call.end();
      done();
    },
    destroy: (error, done) => {
      if (!call.writableEnded) call.end();
      // The status comes after everything that is still on its way.
      call.resume();
      if (!isOver) stuck = setTimeout(() => call.cancel(), END_WITHIN_MS).unref();
      done(error);
    },
  });
  call.on("data", ({ data }) => {
    if (!stream.destroyed && !stream.push(data)) call.pause();
  });
  call.on("end", () => stream.push(null));
  call.on("error", () => stream.destroy());
  return stream;
}
