/**
 * Protocol between the CLI and the daemon while a terminal is open. Each frame is one byte for its kind, four bytes for
 * its length, and the content.
 */

export type Frame =
  /** Keystrokes in one direction, output in the other. */
  | { kind: "data"; data: Uint8Array }
  /** Size of the user's terminal. */
  | { kind: "size"; rows: number; columns: number }
  /** The program has exited. This is the last frame. */
  | { kind: "exit"; exitCode: number };

const kinds = ["data", "size", "exit"] as const;
const headBytes = 5;

export function encodeFrame(frame: Frame): Buffer {
  const content = frame.kind === "data" ? frame.data : Buffer.from(JSON.stringify(frame));
  const head = Buffer.alloc(headBytes);
  head.writeUInt8(kinds.indexOf(frame.kind), 0);
  head.writeUInt32BE(content.length, 1);
  return Buffer.concat([head, content]);
}

/** Reassembles frames from the chunks of a stream. */
export class FrameReader {
  private rest: Buffer = Buffer.alloc(0);

  push(piece: Uint8Array): Frame[] {
    this.rest = Buffer.concat([this.rest, piece]);
    const frames: Frame[] = [];
    while (this.rest.length >= headBytes) {
      const end = headBytes + this.rest.readUInt32BE(1);
      if (this.rest.length < end) break;
      const content = this.rest.subarray(headBytes, end);
      frames.push(
        kinds[this.rest.readUInt8(0)] === "data"
          ? { kind: "data", data: content }
          : (JSON.parse(content.toString("utf8")) as Frame),
      );
      this.rest = this.rest.subarray(end);
    }
    return frames;
  }
}
