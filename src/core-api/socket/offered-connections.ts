import { duplexPair, type Duplex } from "node:stream";

/**
 * Connections from the host into a container. The container opens them: `shim offer` keeps some connections to a host
 * socket open, and turns one into a connection to a port of the container when it receives the port's number. This
 * works wherever BuildKit runs.
 */
export class OfferedConnections {
  private readonly waiting: Duplex[] = [];
  private readonly takers: { take(connection: Duplex): void; refuse(error: Error): void }[] = [];

  /** Accepts a connection that the container opens to the socket. */
  readonly open = (): Promise<Duplex> => {
    const [theirs, ours] = duplexPair();
    tieTogether(theirs, ours);
    ours.on("error", () => undefined);
    const taker = this.takers.shift();
    if (taker === undefined) {
      this.waiting.push(ours);
      ours.once("close", () => this.forget(ours));
    } else {
      taker.take(ours);
    }
    return Promise.resolve(theirs);
  };

  /**
   * Takes the next offered connection and directs it to a port of the container. Rejects when the container stops
   * offering connections.
   */
  async dial(port: number): Promise<Duplex> {
    const connection = this.waiting.shift() ?? (await this.next());
    connection.write(`${port}\n`);
    return connection;
  }

  /** Drops the waiting connections and rejects pending dials, because nothing offers connections at the moment. */
  close(): void {
    for (const connection of this.waiting.splice(0)) connection.destroy();
    for (const taker of this.takers.splice(0)) taker.refuse(new Error("its container offers no connection"));
  }

  private next(): Promise<Duplex> {
    return new Promise((take, refuse) => this.takers.push({ take, refuse }));
  }

  private forget(connection: Duplex): void {
    const index = this.waiting.indexOf(connection);
    if (index >= 0) this.waiting.splice(index, 1);
  }
}

/**
 * Destroys an end of a pair when the other end is destroyed before it finished writing; `duplexPair` does not do this
 * by itself.
 */
function tieTogether(one: Duplex, other: Duplex): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.on("close", () => {
      if (!from.writableFinished) to.destroy();
    });
  }
}
