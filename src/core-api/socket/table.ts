import net from "node:net";
import type { Duplex } from "node:stream";

/** Sockets that a session's containers may connect to, by the id under which they are mounted. */
export class SocketTable {
  private readonly openers = new Map<string, (() => Promise<Duplex>)[]>();

  /**
   * Serves an id. Returns a function that withdraws it. An id stands for one target, so it stays served while another
   * caller serves it too.
   */
  serve(id: string, open: () => Promise<Duplex>): () => void {
    this.openers.set(id, [...(this.openers.get(id) ?? []), open]);
    return () => {
      const others = (this.openers.get(id) ?? []).filter((other) => other !== open);
      if (others.length > 0) this.openers.set(id, others);
      else this.openers.delete(id);
    };
  }

  /** Reports whether an id is served now. */
  has(id: string): boolean {
    return this.openers.has(id);
  }

  /** Opens a new connection. Resolves to undefined for an id that is not served, or no longer. */
  async open(id: string): Promise<Duplex | undefined> {
    return await this.openers.get(id)?.at(-1)?.();
  }
}

/**
 * Connects to a unix socket or a TCP port. The connection allows half-open use: each side may finish writing before the
 * other.
 */
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
