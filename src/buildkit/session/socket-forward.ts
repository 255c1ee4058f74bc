import type { Duplex } from "node:stream";
import { codec } from "../proto/codec.ts";
import type { BuildOptions } from "../types.ts";
import { frame } from "../connection/framing.ts";
import { type Handler, type ServerCall, StatusCode, StatusError, unary } from "./grpc-server.ts";

const bytesMessage = codec<{ data: Uint8Array }>("session.BytesMessage");
const empty = codec<object>("session.Empty");
const service = "/moby.sshforward.v1.SSH";

/**
 * Sockets of the client that containers reach through an `ssh` mount. BuildKit made it for ssh agents; it carries any byte
 * stream: each connection in the container becomes one call here.
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
 * Copies both ways. The container's end of input is passed on while the answer still comes; the socket's end is the end
 * of the call, as a gRPC server cannot finish speaking and go on listening.
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
    // The peer left or the socket broke: both are an end here.
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
