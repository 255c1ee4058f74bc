/** Listeners on the host, on loopback only. Each forwards to a service for as long as the service runs. */
import net from "node:net";

const loopback = ["127.0.0.1", "::1"] as const;

/** A port on the host. Without `host`, it is the port of a tunnel. */
export interface Target {
  port: number;
  host?: string;
}

/**
 * A port that is held from before anything is built until the end. When a service is replaced, the front forwards to
 * the new one: clients get other answers, and the port number stays.
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

  /** Rejects with the system's error when another program has the port. Port 0 takes any free port. */
  static async open(port: number, addresses: readonly string[] = loopback): Promise<Front> {
    const front = new Front(port, addresses);
    await front.take();
    return front;
  }

  /** Creates a front that does not listen: another program may have the port until `take`. */
  static left(port: number): Front {
    return new Front(port, loopback);
  }

  get port(): number {
    return this.number;
  }

  /** Forwards new connections to a port on the host; undefined: to none. */
  leadTo(port: number | undefined): void {
    this.target = port;
  }

  /** Sets a target that takes precedence over `leadTo`; undefined removes it. */
  leadInstead(target: Target | undefined): void {
    this.instead = target;
  }

  /** Starts listening. Rejects, and holds no address, when another program has the port. */
  async take(): Promise<void> {
    if (this.servers.length > 0) return;
    const [first = loopback[0], ...others] = this.addresses;
    const server = await this.listen(first);
    this.servers.push(server);
    this.number = (server.address() as net.AddressInfo).port;
    for (const address of others) {
      // A host without IPv6 lacks the second address. A program that has the port there would also get connections to
      // `localhost`.
      const second = await this.listen(address).catch((error: NodeJS.ErrnoException) => error);
      if (second instanceof net.Server) this.servers.push(second);
      else if (second.code === "EADDRINUSE") {
        this.leave();
        throw second;
      }
    }
  }

  /** Stops listening, so that another program may take the port; open connections stay. */
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
