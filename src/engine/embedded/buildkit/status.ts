import type { ClientReadableStream } from "@grpc/grpc-js";
import type { Channel } from "./channel.ts";
import { control, type StatusMessage, type Timestamp } from "./messages.ts";
import type { StatusUpdate } from "./types.ts";

/** Follows the account of one build until it is stopped or the build is over. */
export interface StatusFollower {
  /** Resolves when the daemon has said all that there is. */
  readonly done: Promise<void>;
  stop(): void;
}

export function followStatus(channel: Channel, ref: string, onUpdate: (update: StatusUpdate) => void): StatusFollower {
  const stream: ClientReadableStream<StatusMessage> = channel.serverStream(control.status, { ref });
  const done = new Promise<void>((resolve) => {
    stream.on("data", (message) => onUpdate(toUpdate(message)));
    // An error here is the end of the build or of the connection; whoever waits for a result hears of it there.
    stream.on("error", () => resolve());
    stream.on("end", () => resolve());
  });
  return { done, stop: () => stream.cancel() };
}

function toUpdate(message: StatusMessage): StatusUpdate {
  return {
    vertexes: message.vertexes.map((vertex) => ({
      digest: vertex.digest,
      name: vertex.name,
      cached: vertex.cached,
      ...(vertex.started === null ? {} : { startedMs: toMs(vertex.started) }),
      ...(vertex.completed === null ? {} : { completedMs: toMs(vertex.completed) }),
      ...(vertex.error === "" ? {} : { error: vertex.error }),
    })),
    logs: message.logs.map((log) => ({ vertex: log.vertex, stream: log.stream === "2" ? "stderr" : "stdout", data: log.msg })),
  };
}

function toMs(timestamp: Timestamp): number {
  return Number(timestamp.seconds) * 1000 + timestamp.nanos / 1e6;
}
