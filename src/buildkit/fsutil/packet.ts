import protobuf from "protobufjs";

/**
 * fsutil's wire protocol (`fsutil.types.Packet`). The codec is handwritten because a tree takes tens of thousands of
 * packets. Fields: 1 type, 2 stat { 1 path, 2 mode, 3 uid, 4 gid, 5 size, 6 modTime, 7 linkname }, 3 id, 4 data.
 */
export const PacketType = { stat: 0, request: 1, data: 2, finish: 3, error: 4 } as const;

export interface Stat {
  path: string;
  /** Go's `os.FileMode`. */
  mode: number;
  sizeBytes: number;
  modTimeNs: bigint;
  linkname: string;
}

export interface Packet {
  type: number;
  stat: Stat | undefined;
  id: number;
  data: Buffer;
}

const NO_BYTES = Buffer.alloc(0);

export function decodePacket(bytes: Buffer): Packet {
  const reader = protobuf.Reader.create(bytes);
  const packet: Packet = { type: 0, stat: undefined, id: 0, data: NO_BYTES };
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === 8) packet.type = reader.uint32();
    else if (tag === 18) packet.stat = decodeStat(reader, reader.uint32());
    else if (tag === 24) packet.id = reader.uint32();
    else if (tag === 34) packet.data = asBuffer(reader.bytes());
    else reader.skipType(tag & 7);
  }
  return packet;
}

function decodeStat(reader: protobuf.Reader, length: number): Stat {
  const end = reader.pos + length;
  const stat: Stat = { path: "", mode: 0, sizeBytes: 0, modTimeNs: 0n, linkname: "" };
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === 10) stat.path = reader.string();
    else if (tag === 16) stat.mode = reader.uint32();
    else if (tag === 40) stat.sizeBytes = Number(toBigInt(reader.int64()));
    else if (tag === 48) stat.modTimeNs = toBigInt(reader.int64());
    else if (tag === 58) stat.linkname = reader.string();
    else reader.skipType(tag & 7);
  }
  return stat;
}

function toBigInt(value: protobuf.Long | number): bigint {
  if (typeof value === "number") return BigInt(value);
  return (BigInt(value.high) << 32n) | BigInt(value.low >>> 0);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
