/** The user's side of a terminal: a connection to the daemon that carries keys, sizes and output. */
import http from "node:http";
import type { Duplex } from "node:stream";
import type { RemoteTerminal, TerminalLine, TerminalSize } from "../types.ts";
import {
  controlHeaders,
  controlSocket,
  liveHeaders,
  liveProtocol,
  terminalHeaders,
  terminalProtocol,
  type TerminalOffer,
} from "../../engine-daemon/index.ts";
import { encodeFrame, FrameReader } from "../../core-api/index.ts";

export function remoteTerminal(state: string, token: string, { id, name }: TerminalOffer): RemoteTerminal {
  return {
    name,
    connect: async (size, onOutput) => {
      const headers = {
        ...controlHeaders(state),
        connection: "Upgrade",
        upgrade: terminalProtocol,
        [terminalHeaders.token]: token,
        [terminalHeaders.id]: id,
      };
      return followTerminal(await upgraded(controlSocket(state), headers), size, onOutput);
    },
  };
}

/** Connects to the helper in a service's container. */
export function liveLine(state: string, token: string, serviceId: string): Promise<Duplex> {
  const headers = {
    ...controlHeaders(state),
    connection: "Upgrade",
    upgrade: liveProtocol,
    [liveHeaders.token]: token,
    [liveHeaders.service]: serviceId,
  };
  return upgraded(controlSocket(state), headers, "/live");
}

function upgraded(socketPath: string, headers: Record<string, string>, path = "/terminal"): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const request = http.request({ socketPath, path, headers, agent: false });
    request.once("upgrade", (_response, socket, head) => {
      socket.unshift(head);
      resolve(socket);
    });
    request.once("response", (response) => {
      response.resume();
      reject(new Error(path === "/terminal" ? "the terminal is no longer wanted" : `nothing is at ${path} any more`));
    });
    request.once("error", reject);
    request.end();
  });
}

/** Returns the terminal at the other end of a connection that carries frames. */
export function followTerminal(socket: Duplex, size: TerminalSize, onOutput: (data: Uint8Array) => void): TerminalLine {
  const reader = new FrameReader();
  let exitCode: number | undefined;
  socket.on("error", () => undefined);
  socket.on("data", (piece: Buffer) => {
    for (const frame of reader.push(piece)) {
      if (frame.kind === "data") onOutput(frame.data);
      else if (frame.kind === "exit") exitCode = frame.exitCode;
    }
  });
  const ended = new Promise<number | undefined>((resolve) => socket.once("close", () => resolve(exitCode)));
  const send = (bytes: Buffer): void => void (socket.writable && socket.write(bytes));
  const resize = (now: TerminalSize): void => send(encodeFrame({ kind: "size", rows: now.rows, columns: now.columns }));
  resize(size);
  return { ended, resize, write: (data) => send(encodeFrame({ kind: "data", data })) };
}
