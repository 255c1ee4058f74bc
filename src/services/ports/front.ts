/** Ports of this machine, on loopback only, each of which leads to a service for as long as that is there. */
import net from "node:net";

const addresses = ["127.0.0.1", "::1"] as const;

/**
 * A port that is held from before anything is built until the end: a service that is made anew is moved to, and those who
 * use the port see another answer and no other number.
 */
export class Front {
  readonly port: number;
  private readonly servers: net.Server[] = [];
  private readonly connections = new Set<net.Socket>();
  private target: number | undefined;

  private constructor(port: number) {
    this.port = port;
  }

  /** Rejects with the system's error where another program has the port. */
  static async open(port: number): Promise<Front> {
    const front = new Front(port);
    try {
      front.servers.push(await front.listen(addresses[0]));
    } catch (error) {
      front.close();
      throw error;
    }
    // A machine without IPv6 has no such address; who has the port there has it for `localhost`, too.
    const second = await front.listen(addresses[1]).catch((error: NodeJS.ErrnoException) => error);
    if (second instanceof net.Server) front.servers.push(second);
    else if (second.code === "EADDRINUSE") {
      front.close();
      throw second;
    }
    return front;
  }

  /** From now on new connections go there, to a port of this machine; undefined: nowhere. */
  leadTo(port: number | undefined): void {
    this.target = port;
  }

  close(): void {
    for (const server of this.servers) server.close();
    for (const connection of this.connections) connection.destroy();
  }

  private listen(host: string): Promise<net.Server> {
    return new Promise((resolve, reject) => {
      const server = net.createServer({ allowHalfOpen: true }, (socket) => this.lead(socket));
      server.on("error", reject);
      server.listen({ port: this.port, host, ipv6Only: host === addresses[1] }, () => resolve(server));
    });
  }

  private lead(socket: net.Socket): void {
    socket.on("error", () => undefined);
    if (this.target === undefined) return void socket.resetAndDestroy();
    const onward = net.connect({ port: this.target, host: addresses[0], allowHalfOpen: true });
    onward.on("error", () => socket.destroy());
    onward.on("close", () => socket.destroySoon());
    socket.on("close", () => onward.destroy());
    for (const end of [socket, onward]) {
      this.connections.add(end);
      end.once("close", () => this.connections.delete(end));
    }
    socket.pipe(onward);
    onward.pipe(socket);
  }
}
