/**
 * Channel to the parent process: descriptor 3, one JSON message per line. Not Node's own channel for child processes,
 * because the parent's end trusts what it reads: a line written there by a body could end the CLI.
 */
import net from "node:net";
import type { FromRuntime, ToRuntime } from "./protocol.ts";

const channelDescriptor = 3;

export interface Parent {
  send(message: FromRuntime): void;
  onMessage(listener: (message: ToRuntime) => void): void;
}

/** Connects to the parent. This process exits when the parent is gone, however it ended, as nothing may outlive it. */
export function connectParent(): Parent {
  const socket = new net.Socket({ fd: channelDescriptor, readable: true, writable: true });
  socket.on("error", () => process.exit(0));
  socket.on("close", () => process.exit(0));
  return {
    send: (message) => void socket.write(`${JSON.stringify(message)}\n`),
    onMessage(listener) {
      let rest = "";
      socket.setEncoding("utf8").on("data", (text: string) => {
        rest += text;
        if (!text.includes("\n")) return;
        const lines = rest.split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) listener(JSON.parse(line) as ToRuntime);
      });
    },
  };
}
