/**
 * Identifies the process at the other end of a unix socket. Only the kernel knows it, and Node cannot ask, so the
 * helper of tools/confine does.
 */
import { spawn } from "node:child_process";
import type { Duplex } from "node:stream";
import { confineProgram } from "../../module/index.ts";

const unknown = "a process that can't be told here";

/**
 * Returns the helper. Undefined also when it was modified, which is reported where function bodies are started with it.
 */
function helper(): string | undefined {
  try {
    return confineProgram();
  } catch {
    return undefined;
  }
}

/** Describes the peer as `pid 7 (node), user 1000`, or with a phrase that says that it is unknown. */
export function peerOf(socket: Duplex): Promise<string> {
  const program = process.platform === "linux" ? helper() : undefined;
  if (program === undefined || socket.destroyed) return Promise.resolve(unknown);
  return new Promise((resolve) => {
    const child = spawn(program, ["peer"], { stdio: ["ignore", "pipe", "ignore", socket], env: {} });
    let text = "";
    child.stdout?.setEncoding("utf8").on("data", (piece: string) => (text += piece));
    child.once("error", () => resolve(unknown));
    child.once("close", () => resolve(text.trim() === "" ? unknown : text.trim()));
  });
}
