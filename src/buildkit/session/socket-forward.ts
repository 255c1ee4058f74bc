import type { Duplex } from "node:stream";
import { codec } from "../proto/codec.ts";
import type { BuildOptions } from "../types.ts";
import { frame } from "../connection/framing.ts";
import { type Handler, type ServerCall, StatusCode, StatusError, unary } from "./grpc-server.ts";

const bytesMessage = codec<{ data: Uint8Array }>("session.BytesMessage");
const empty = codec<object>("session.Empty");
const service = "/moby.sshforward.v1.SSH";

/**
 * Serves the client's sockets that containers mount with an `ssh` mount. BuildKit made these for ssh agents, but they
 * carry any byte stream. Each connection in the container becomes one call.
 */
export function socketService(openSocket: NonNullable<BuildOptions["openSocket"]>): [string, Handler][] {
  const check = unary(empty.decode, empty.encode, async () => ({}));
  const forward: Handler = async (call) => {
    const id = call.metadata["buildkit.ssh.id"];
    const socket = await openSocket(typeof id === "string" ? id : "");
    if (socket === undefined) throw new StatusError(StatusCode.notFound, `no socket with the id ${String(id)}`);
    await join(call, socket);
  };
  return [
    [`${service}/CheckAgent`, check],
    [`${service}/ForwardAgent`, forward],
  ];
}

/**
 * Copies in both directions. When the container ends its input, the end is forwarded while the socket's data continues.
 * When the socket ends, the call ends, because a gRPC server cannot finish sending and keep receiving.
 */
async function join(call: ServerCall, socket: Duplex): Promise<void> {
  const destroy = (): void => void socket.destroy();
  call.signal.addEventListener("abort", destroy, { once: true });
  socket.on("error", destroy);
  void receive(call, socket).catch(destroy);
  try {
    for await (const chunk of socket as AsyncIterable<Buffer>)
      await call.write(frame(bytesMessage.encode({ data: chunk })));
  } catch {
    // The peer left or the socket broke; both end the call.
  }
}

async function receive(call: ServerCall, socket: Duplex): Promise<void> {
  for await (const message of call.messages()) {
    if (socket.destroyed) return;
    if (!socket.write(bytesMessage.decode(message).data)) await drained(socket);
  }
  socket.end();
}

function drained(socket: Duplex): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off("drain", done).off("close", done);
      resolve();
    };
    socket.on("drain", done).on("close", done);
  });
}
