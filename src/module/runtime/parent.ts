/**
 * The channel to the process that started this one: descriptor 3, a JSON message a line. Not Node's own channel for child
 * processes, of which the parent's end believes what it reads: a line that a body wrote there could end the CLI.
 */
import net from "node:net";
import type { FromRuntime, ToRuntime } from "./protocol.ts";

const channelDescriptor = 3;

export interface Parent {
  send(message: FromRuntime): void;
  onMessage(listener: (message: ToRuntime) => void): void;
}

/** When the parent is gone, however it went, this process ends: nothing may outlive it. */
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
