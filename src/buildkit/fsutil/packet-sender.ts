import type { ServerCall } from "../session/grpc-server.ts";
import { PacketBuffer } from "./packet-buffer.ts";

/** The outgoing side of a sync: packets are collected and written together, no faster than the daemon takes them. */
export class PacketSender {
  readonly packets = new PacketBuffer();
  readonly #call: ServerCall;
  #scheduled = false;
  #writing: Promise<void> = Promise.resolve();
  #fail: (reason: unknown) => void = () => {};

  /** Rejects when something in the background failed. */
  readonly failed: Promise<never> = new Promise((_resolve, reject) => (this.#fail = reject));

  constructor(call: ServerCall) {
    this.#call = call;
    this.failed.catch(() => {});
  }

  fail(reason: unknown): void {
    this.#fail(reason);
  }

  /** Writes what there is and waits for room. */
  async flush(): Promise<void> {
    if (!this.packets.empty) await this.#call.write(this.packets.take());
  }

  /**
   * To be awaited after adding packets. What is added in one turn of the event loop goes out together: the messages of
   * one chunk of input are answered by one write.
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

  /** Tells the daemon why the sync ends. */
  async error(reason: unknown): Promise<void> {
    if (this.#call.signal.aborted) return;
    this.packets.error(reason instanceof Error ? reason.message : String(reason));
    await this.flush().catch(() => {});
  }
}
