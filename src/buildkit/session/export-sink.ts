import { createWriteStream } from "node:fs";
import { chmod, mkdir, rename, rm } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { receiveTree } from "../fsutil/receiver.ts";
import { codec } from "../proto/codec.ts";
import type { ExportSink } from "../types.ts";
import type { Handler, ServerCall } from "./grpc-server.ts";

const bytesMessage = codec<{ data: Buffer }>("session.BytesMessage");

/** Receives an exporter's output: a tree into a folder, or one stream into a file. */
export function exportService(sink: ExportSink): [string, Handler][] {
  if (sink.kind === "none") return [];
  const handler: Handler =
    sink.kind === "directory"
      ? (call) => receiveTree(call, { target: sink.path, wipe: sink.wipe ?? false })
      : (call) => receiveFile(call, sink.path, sink.mode);
  return [["/moby.filesync.v1.FileSend/DiffCopy", handler]];
}

/** Receives a file. It appears under its name only when it is complete. */
async function receiveFile(call: ServerCall, target: string, mode: number | undefined): Promise<void> {
  await mkdir(path.dirname(target), { recursive: true });
  const temporary = path.join(path.dirname(target), `.fastloop-${randomBytes(8).toString("hex")}`);
  try {
    await pipeline(chunks(call), createWriteStream(temporary, { flags: "wx" }));
    // Messages also end when the peer aborts; the file is incomplete then.
    if (call.signal.aborted) throw new Error("the export was given up");
    if (mode !== undefined) await chmod(temporary, mode);
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function* chunks(call: ServerCall): AsyncGenerator<Buffer> {
  for await (const message of call.messages()) yield bytesMessage.decode(message).data;
}
