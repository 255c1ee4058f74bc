/** Opens terminals in services of this session for other commands. */
import type { Duplex } from "node:stream";
import { encodeFrame, failureOf, FrameReader, type EngineSession, type RemoteTerminal } from "../../engine/index.ts";
import { UserError } from "../../errors/index.ts";
import { shellProtocol } from "./control.ts";

/** Connects terminals of other commands to the terminals that the engine offers. */
export class Shells {
  /** Callers waiting for a terminal. The engine offers one terminal at a time, in the order of the queries. */
  private readonly waiting: ((remote: RemoteTerminal) => void)[] = [];
  private turn: Promise<unknown> = Promise.resolve();

  /** Terminal handler to open the session with. */
  readonly onTerminal = (remote: RemoteTerminal): void => this.waiting.shift()?.(remote);

  /** Runs a command in a service, on the terminal at the other end of `line`. Resolves when the command has ended. */
  open(session: EngineSession, serviceId: string, command: readonly string[], line: Duplex): Promise<void> {
    const gone = new AbortController();
    line.once("close", () => gone.abort(new UserError("interrupted", "the terminal was closed")));
    const offered = new Promise<RemoteTerminal>((resolve) => {
      const asked = this.turn.then(() => {
        this.waiting.push(resolve);
      });
      this.turn = asked;
    });
    const document =
      "query Shell($id: ID!, $cmd: [String!]) { node(id: $id) { ... on Service { terminal(cmd: $cmd) { id } } } }";
    const over = session
      .query(document, { id: serviceId, cmd: command }, { signal: gone.signal })
      .catch((error: unknown) => {
        throw failureOf(error);
      });
    over.catch(() => undefined);
    return this.relay(offered, over, line);
  }

  private async relay(offered: Promise<RemoteTerminal>, over: Promise<unknown>, line: Duplex): Promise<void> {
    const remote = await Promise.race([offered, over.then(() => undefined)]);
    if (remote === undefined) throw new UserError("usage", "the shell ended before it started");
    line.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${shellProtocol}\r\n\r\n`);
    const reader = new FrameReader();
    const frames = (piece: Buffer): void => {
      for (const frame of reader.push(piece)) {
        if (frame.kind === "size") void (connected ?? connect(frame)).then((terminal) => terminal.resize(frame));
        else if (frame.kind === "data") void connected?.then((terminal) => terminal.write(frame.data));
      }
    };
    let connected: ReturnType<RemoteTerminal["connect"]> | undefined;
    const connect = (size: { rows: number; columns: number }): ReturnType<RemoteTerminal["connect"]> => {
      connected = remote.connect(size, (data) => void line.write(encodeFrame({ kind: "data", data })));
      void connected
        .then(({ ended }) => ended)
        .then((exitCode) => line.end(exitCode === undefined ? undefined : encodeFrame({ kind: "exit", exitCode })))
        .catch(() => line.destroy());
      return connected;
    };
    line.on("data", frames);
    await over.catch(() => line.destroy());
  }
}
