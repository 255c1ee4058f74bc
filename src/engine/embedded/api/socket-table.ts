import net from "node:net";
import type { Duplex } from "node:stream";

/** The sockets that containers of a session may connect to, by the id under which they are mounted. */
export class SocketTable {
  private readonly openers = new Map<string, () => Promise<Duplex>>();

  /** Returns what takes the id out of use again. */
  serve(id: string, open: () => Promise<Duplex>): () => void {
    this.openers.set(id, open);
    return () => void this.openers.delete(id);
  }

  /** A new connection; undefined for an id that is not (or no longer) served. */
  async open(id: string): Promise<Duplex | undefined> {
    return await this.openers.get(id)?.();
  }
}

/** Connects to a unix socket or a TCP port. Each side may finish speaking before the other. */
export function connectTo(target: { path: string } | { host: string; port: number }): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ ...target, allowHalfOpen: true });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
  });
}
