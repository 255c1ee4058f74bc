import { randomBytes } from "node:crypto";
import type { Duplex } from "node:stream";
import { aborted } from "../../async/index.ts";
import { ApiError } from "../values/errors.ts";

/**
 * Asks the user's side to connect its terminal. Takes the id to connect with and the name of the program that will run.
 */
export type OfferTerminal = (id: string, name: string) => void;

/**
 * Queues programs for the user's terminal, which one of them uses at a time:
 *
 *    wait for the turn ──▶ offer ──▶ the user's side connects ──▶ the program runs on the line ──▶ next turn
 */
export class Terminals {
  private readonly offer: OfferTerminal | undefined;
  private readonly offered = new Map<string, (line: Duplex) => void>();
  private turn: Promise<unknown> = Promise.resolve();

  /** Without `offer`, no terminal is attached. */
  constructor(offer: OfferTerminal | undefined) {
    this.offer = offer;
  }

  /** Throws an `ApiError` when no terminal is attached. Call this before building anything for one. */
  require(): void {
    if (this.offer === undefined) throw new ApiError("no terminal is attached: run `fastloop call` in one");
  }

  /** Waits for the terminal and runs `work` with it. Closes the line afterwards. */
  async use<T>(name: string, signal: AbortSignal, work: (line: Duplex) => Promise<T>): Promise<T> {
    const using = this.turn.then(() => this.connected(name, signal, work));
    this.turn = using.catch(() => undefined);
    return await using;
  }

  /** Hands a connected line to the offer with this id. Returns false when no offer has it. */
  connect(id: string, line: Duplex): boolean {
    const wanted = this.offered.get(id);
    this.offered.delete(id);
    wanted?.(line);
    return wanted !== undefined;
  }

  private async connected<T>(name: string, signal: AbortSignal, work: (line: Duplex) => Promise<T>): Promise<T> {
    if (signal.aborted) throw new ApiError("canceled");
    const id = randomBytes(16).toString("hex");
    const connecting = new Promise<Duplex>((resolve) => this.offered.set(id, resolve));
    this.offer?.(id, name);
    const line = await Promise.race([connecting, aborted(signal)]);
    this.offered.delete(id);
    if (line === undefined) throw new ApiError("canceled");
    try {
      return await work(line);
    } finally {
      line.end();
      if (signal.aborted) line.destroy();
    }
  }
}
