/**
 * Keeps results of calls in Redis, so that machines share them: REDIS_ADDRESS=HOST:PORT names the server, and
 * FASTLOOP_STATE_KEY, the same on each machine, is what they trust each other's results by.
 *
 *     extensions:
 *       cache: ./redis-cache.ts
 *
 * An extension is one file. Two commands of Redis' protocol are less than a client that would have to be bundled.
 */
import { connect, type Socket } from "node:net";
import type { CacheBackend } from "fastloop";

const [host = "127.0.0.1", port = "6379"] = (process.env["REDIS_ADDRESS"] ?? "127.0.0.1:6379").split(":");
const none = -1;
let socket: Socket | undefined;
let turn: Promise<unknown> = Promise.resolve();

/** Sends a command and gives its answer's bytes; undefined for nil. One at a time: answers come in the order of commands. */
function command(...words: (string | Uint8Array)[]): Promise<Uint8Array | undefined> {
  const answer = turn.then(() => exchange(words));
  turn = answer.catch(() => undefined);
  return answer;
}

function exchange(words: (string | Uint8Array)[]): Promise<Uint8Array | undefined> {
  socket ??= connect(Number(port), host);
  const server = socket;
  const parts = words.map((word) => Buffer.from(word));
  const lines = parts.flatMap((part) => [Buffer.from(`$${part.length}\r\n`), part, Buffer.from("\r\n")]);
  server.write(Buffer.concat([Buffer.from(`*${parts.length}\r\n`), ...lines]));
  return new Promise((resolve, reject) => {
    let received: Buffer = Buffer.alloc(0);
    const end = (): void => {
      server.off("data", onData).off("error", onError).off("close", onClose);
    };
    const onError = (error: Error): void => {
      end();
      socket = undefined;
      reject(error);
    };
    const onClose = (): void => onError(new Error("the server closed the connection"));
    const onData = (piece: Buffer): void => {
      received = Buffer.concat([received, piece]);
      const head = received.indexOf("\r\n");
      if (head === -1) return;
      const kind = received.toString("latin1", 0, 1);
      const rest = received.toString("utf8", 1, head);
      if (kind === "-") return onError(new Error(rest));
      if (kind === "+" || Number(rest) === none) {
        end();
        return resolve(undefined);
      }
      const last = head + 2 + Number(rest);
      if (received.length < last + 2) return;
      end();
      resolve(received.subarray(head + 2, last));
    };
    server.on("data", onData).once("error", onError).once("close", onClose);
  });
}

export default {
  name: "redis",
  get: (key) => command("GET", `fastloop:${key}`),
  async put(key, value, { keepMs }) {
    await command("SET", `fastloop:${key}`, value, "PX", String(Math.ceil(keepMs)));
  },
  close() {
    socket?.destroy();
    socket = undefined;
  },
} satisfies CacheBackend;
