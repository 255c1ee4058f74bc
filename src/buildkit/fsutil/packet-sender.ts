import type { ServerCall } from "../session/grpc-server.ts";
import { PacketBuffer } from "./packet-buffer.ts";

/** Outgoing side of a sync. It collects packets and writes them together, no faster than the daemon reads them. */
export class PacketSender {
  readonly packets = new PacketBuffer();
  readonly #call: ServerCall;
  #scheduled = false;
  #writing: Promise<void> = Promise.resolve();
  #fail: (reason: unknown) => void = () => {};

  /** Rejects when a background task failed. */
  readonly failed: Promise<never> = new Promise((_resolve, reject) => (this.#fail = reject));

  constructor(call: ServerCall) {
    this.#call = call;
    this.failed.catch(() => {});
  }

  fail(reason: unknown): void {
    this.#fail(reason);
  }

  /** Writes the pending packets and waits until there is room for more. */
  async flush(): Promise<void> {
    if (!this.packets.empty) await this.#call.write(this.packets.take());
  }

  /**
   * Call and await after adding packets. All packets of one turn of the event loop are sent together, so that the
   * messages of one chunk of input get one write as their answer.
   */
  async added(): Promise<void> {
    if (this.packets.full) return this.flush();
    if (this.#scheduled) return this.#writing;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#writing = this.flush().catch((error: unknown) => this.#fail(error));
    });
    return this.#writing;
  }

  /** Reports to the daemon why the sync ends. */
  async error(reason: unknown): Promise<void> {
    if (this.#call.signal.aborted) return;
    this.packets.error(reason instanceof Error ? reason.message : String(reason));
    await this.flush().catch(() => {});
  }
}
