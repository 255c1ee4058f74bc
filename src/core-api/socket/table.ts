import net from "node:net";
import type { Duplex } from "node:stream";

/** The sockets that containers of a session may connect to, by the id under which they are mounted. */
export class SocketTable {
  private readonly openers = new Map<string, (() => Promise<Duplex>)[]>();

  /** Returns what takes it out of use again. An id stands for one target: whoever else serves it goes on. */
  serve(id: string, open: () => Promise<Duplex>): () => void {
    this.openers.set(id, [...(this.openers.get(id) ?? []), open]);
    return () => {
      const others = (this.openers.get(id) ?? []).filter((other) => other !== open);
      if (others.length > 0) this.openers.set(id, others);
      else this.openers.delete(id);
    };
  }

  /** Whether somebody serves it now. */
  has(id: string): boolean {
    return this.openers.has(id);
  }

  /** A new connection; undefined for an id that is not (or no longer) served. */
  async open(id: string): Promise<Duplex | undefined> {
    return await this.openers.get(id)?.at(-1)?.();
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
