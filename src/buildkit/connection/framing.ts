/** Length of gRPC's message prefix: a flag byte (0 for uncompressed) and the length in big endian. */
export const PREFIX_BYTES = 5;

/** Returns a message with its prefix. */
export function frame(message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  framed[0] = 0;
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, PREFIX_BYTES);
  return framed;
}

/** Splits a byte stream into messages, whatever its chunks are. */
export class Deframer {
  #chunks: Buffer[] = [];
  #length = 0;

  *push(chunk: Buffer): Generator<Buffer> {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    if (this.#length < this.#needed()) return;

    const buffer = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks, this.#length);
    let offset = 0;
    while (buffer.length - offset >= PREFIX_BYTES) {
      if (buffer[offset] !== 0) throw new Error("a compressed message was sent; none was asked for");
      const end = offset + PREFIX_BYTES + buffer.readUInt32BE(offset + 1);
      if (end > buffer.length) break;
      yield buffer.subarray(offset + PREFIX_BYTES, end);
      offset = end;
    }
    this.#chunks = offset === buffer.length ? [] : [buffer.subarray(offset)];
    this.#length = buffer.length - offset;
  }

  /**
   * Number of bytes that complete the first message. With it, chunks are joined once per message rather than once per
   * chunk.
   */
  #needed(): number {
    const [first] = this.#chunks;
    if (first === undefined || first.length < PREFIX_BYTES) return PREFIX_BYTES;
    return PREFIX_BYTES + first.readUInt32BE(1);
  }
}
