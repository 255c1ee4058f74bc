import { duplexPair, type Duplex } from "node:stream";

/**
 * Connections from the host into a container, made by the container: `shim offer` keeps some open to a socket of ours, and
 * one that is given a port number becomes a connection to that port. Works wherever BuildKit runs.
 */
export class OfferedConnections {
  private readonly waiting: Duplex[] = [];
  private readonly takers: { take(connection: Duplex): void; refuse(error: Error): void }[] = [];

  /** What is behind the socket that the container connects to. */
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

  /** Takes the next connection and leads it to a port of the container. Rejects where nobody offers one any more. */
  async dial(port: number): Promise<Duplex> {
    const connection = this.waiting.shift() ?? (await this.next());
    connection.write(`${port}\n`);
    return connection;
  }

  /** Nobody offers any at the moment. */
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

/** An end that is destroyed before it has said all ends the other one too; a pair does not do that by itself. */
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
