import { PREFIX_BYTES } from "../connection/framing.ts";
import { PacketType, type Stat } from "./packet.ts";

const BUFFER_BYTES = 256 * 1024;

/** The buffer counts as full at this size: large enough for few writes, small enough to start sending early. */
const FULL_BYTES = 64 * 1024;

/** Longest prefix of a data packet: gRPC frame, type, id, length. */
const DATA_OVERHEAD_BYTES = PREFIX_BYTES + 2 + 6 + 6;

/** Framed packets back to back, encoded in place, so that hundreds of them take one write. */
export class PacketBuffer {
  #buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  #length = 0;

  get full(): boolean {
    return this.#length >= FULL_BYTES;
  }

  get empty(): boolean {
    return this.#length === 0;
  }

  /** Returns what was added since the last call. */
  take(): Buffer {
    const taken = this.#buffer.subarray(0, this.#length);
    this.#buffer = Buffer.allocUnsafe(BUFFER_BYTES);
    this.#length = 0;
    return taken;
  }

  stat(stat: Stat): void {
    const pathBytes = Buffer.byteLength(stat.path);
    const linkBytes = stat.linkname === "" ? 0 : Buffer.byteLength(stat.linkname);
    const body =
      stringSize(pathBytes) +
      1 +
      varintSize(stat.mode) +
      numberSize(stat.sizeBytes) +
      bigSize(stat.modTimeNs) +
      stringSize(linkBytes);
    // PACKET_STAT is 0 and therefore not written.
    this.#begin(1 + varintSize(body) + body);
    this.#tagged(0x12, body);
    this.#string(0x0a, stat.path, pathBytes);
    this.#tagged(0x10, stat.mode);
    if (stat.sizeBytes > 0) this.#tagged(0x28, stat.sizeBytes);
    if (stat.modTimeNs > 0n) this.#big(0x30, stat.modTimeNs);
    if (linkBytes > 0) this.#string(0x3a, stat.linkname, linkBytes);
  }

  /** Marks the end of the stats. */
  lastStat(): void {
    this.#begin(0);
  }

  request(id: number): void {
    this.#control(PacketType.request, id);
  }

  finish(): void {
    this.#control(PacketType.finish, 0);
  }

  error(message: string): void {
    this.#bytes(PacketType.error, 0, Buffer.from(message));
  }

  data(id: number, bytes: Uint8Array): void {
    this.#bytes(PacketType.data, id, bytes);
  }

  /** Marks the end of a file. */
  endOfData(id: number): void {
    this.#control(PacketType.data, id);
  }

  /**
   * Adds a data packet of exactly `length` bytes, which `fill` writes directly into the buffer. When `fill` fails,
   * returns false and adds nothing.
   */
  fillData(id: number, length: number, fill: (target: Buffer) => boolean): boolean {
    const start = this.#length;
    this.#dataHeader(PacketType.data, id, length);
    if (!fill(this.#buffer.subarray(this.#length, this.#length + length))) {
      this.#length = start;
      return false;
    }
    this.#length += length;
    return true;
  }

  #bytes(type: number, id: number, bytes: Uint8Array): void {
    this.#dataHeader(type, id, bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #dataHeader(type: number, id: number, length: number): void {
    this.#reserve(DATA_OVERHEAD_BYTES + length);
    this.#begin(2 + numberSize(id) + 1 + varintSize(length) + length);
    this.#tagged(0x08, type);
    if (id > 0) this.#tagged(0x18, id);
    this.#tagged(0x22, length);
  }

  #control(type: number, id: number): void {
    this.#begin(2 + numberSize(id));
    this.#tagged(0x08, type);
    if (id > 0) this.#tagged(0x18, id);
  }

  /** Reserves room for a message of `size` bytes and writes its gRPC prefix. */
  #begin(size: number): void {
    this.#reserve(PREFIX_BYTES + size);
    this.#buffer[this.#length] = 0;
    this.#buffer.writeUInt32BE(size, this.#length + 1);
    this.#length += PREFIX_BYTES;
  }

  #reserve(size: number): void {
    if (this.#length + size <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#length + size));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }

  #tagged(tag: number, value: number): void {
    this.#buffer[this.#length++] = tag;
    this.#varint(value);
  }

  #string(tag: number, text: string, bytes: number): void {
    this.#tagged(tag, bytes);
    this.#length += this.#buffer.write(text, this.#length, "utf8");
  }

  #big(tag: number, value: bigint): void {
    this.#buffer[this.#length++] = tag;
    // Split into halves of 35 and 28 bits: both are exact as numbers, and the lower one fills whole varint groups.
    let low = Number(value & 0x7ffffffffn);
    const high = Number(value >> 35n);
    if (high === 0) return this.#varint(low);
    for (let group = 0; group < 5; group++) {
      this.#buffer[this.#length++] = (low % 128) | 0x80;
      low = Math.floor(low / 128);
    }
    this.#varint(high);
  }

  #varint(value: number): void {
    let rest = value;
    while (rest > 127) {
      this.#buffer[this.#length++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    this.#buffer[this.#length++] = rest;
  }
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) size++;
  return size;
}

function numberSize(value: number): number {
  return value > 0 ? 1 + varintSize(value) : 0;
}

function stringSize(bytes: number): number {
  return bytes > 0 ? 1 + varintSize(bytes) + bytes : 0;
}

function bigSize(value: bigint): number {
  if (value <= 0n) return 0;
  const high = Number(value >> 35n);
  return 1 + (high === 0 ? varintSize(Number(value)) : 5 + varintSize(high));
}
