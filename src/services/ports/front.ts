/** Ports of this machine, on loopback only, each of which leads to a service for as long as that is there. */
import net from "node:net";

const loopback = ["127.0.0.1", "::1"] as const;

/** A port of this machine; without an address that of a tunnel. */
export interface Target {
  port: number;
  host?: string;
}

/**
 * A port that is held from before anything is built until the end: a service that is made anew is moved to, and those who
 * use the port see another answer and no other number.
 */
export class Front {
  private number: number;
  private readonly addresses: readonly string[];
  private servers: net.Server[] = [];
  private readonly connections = new Set<net.Socket>();
  private target: number | undefined;
  private instead: Target | undefined;

  private constructor(port: number, addresses: readonly string[]) {
    this.number = port;
    this.addresses = addresses;
  }

  /** Rejects with the system's error where another program has the port. Port 0 is any. */
  static async open(port: number, addresses: readonly string[] = loopback): Promise<Front> {
    const front = new Front(port, addresses);
    await front.take();
    return front;
  }

  /** One whose port another program may have until `take`. */
  static left(port: number): Front {
    return new Front(port, loopback);
  }

  get port(): number {
    return this.number;
  }

  /** From now on new connections go there, to a port of this machine; undefined: nowhere. */
  leadTo(port: number | undefined): void {
    this.target = port;
  }

  /** While there is one, it is the target whatever `leadTo` says. */
  leadInstead(target: Target | undefined): void {
    this.instead = target;
  }

  /** Listens; rejects, and has nothing, where another program does. */
  async take(): Promise<void> {
    if (this.servers.length > 0) return;
    const [first = loopback[0], ...others] = this.addresses;
    const server = await this.listen(first);
    this.servers.push(server);
    this.number = (server.address() as net.AddressInfo).port;
    for (const address of others) {
      // A machine without IPv6 has no such address; who has the port there has it for `localhost`, too.
      const second = await this.listen(address).catch((error: NodeJS.ErrnoException) => error);
      if (second instanceof net.Server) this.servers.push(second);
      else if (second.code === "EADDRINUSE") {
        this.leave();
        throw second;
      }
    }
  }

  /** Another program may have the port from now on; what is connected stays so. */
  leave(): void {
    for (const server of this.servers) server.close();
    this.servers = [];
  }

  close(): void {
    this.leave();
    for (const connection of this.connections) connection.destroy();
  }

  private listen(host: string): Promise<net.Server> {
    return new Promise((resolve, reject) => {
      const server = net.createServer({ allowHalfOpen: true }, (socket) => this.lead(socket));
      server.on("error", reject);
      server.listen({ port: this.number, host, ipv6Only: host === loopback[1] }, () => resolve(server));
    });
  }

  private lead(socket: net.Socket): void {
    socket.on("error", () => undefined);
    const target = this.instead ?? (this.target === undefined ? undefined : { port: this.target });
    if (target === undefined) return void socket.resetAndDestroy();
    const onward = net.connect({ host: loopback[0], ...target, allowHalfOpen: true });
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
