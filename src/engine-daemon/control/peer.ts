/** Who is at the other end of a unix socket, by the kernel's word: Node can't ask for it, the helper of tools/confine can. */
import { spawn } from "node:child_process";
import type { Duplex } from "node:stream";
import { confineProgram } from "../../module/index.ts";

const unknown = "a process that can't be told here";

/** Undefined also where it is not as it was built: who starts it for more says so. */
function helper(): string | undefined {
  try {
    return confineProgram();
  } catch {
    return undefined;
  }
}

/** `pid 7 (node), user 1000`; where the system or a missing helper does not tell, a phrase that says so. */
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
