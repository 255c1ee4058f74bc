import { shortStatus } from "./grpc-error.ts";

const FRAME_HEADER_BYTES = 9;
const HEADERS = 1;
const CONTINUATION = 9;
const END_HEADERS = 0x4;
/** Flags for optional parts of a HEADERS frame before the fields: padding, and the priority, which is obsolete. */
const PADDED = 0x8;
const PRIORITY = 0x20;
/** Frame size that every peer accepts (RFC 9113, SETTINGS_MAX_FRAME_SIZE). */
const MAX_FRAME_BYTES = 16_384;
/**
 * Fields longer than this are shortened. The length is that of the encoding, which is Huffman's code (at best 5 bits a
 * character) or plain. Two fields of this length still fit into the 64 KiB that Node accepts for a header block.
 */
const MAX_FIELD_BYTES = 16 * 1024;
/** A shortened message keeps this many characters of its start and of its end. */
const MESSAGE_CHARACTERS = 2_000;

/**
 * Copies a server's HTTP/2 frames (RFC 9113), and shortens long fields in header blocks that need CONTINUATION frames.
 * Such fields are larger than the peer's dynamic table, so they are never entered there and no later block refers to
 * them.
 */
export class LongTrailerFilter {
  /** Bytes of the current frame's payload still to be copied. */
  #copying = 0;
  /** Start of an incomplete frame. Only a frame header, or a frame of a split header block, is held back. */
  #waiting: Buffer = Buffer.alloc(0);
  /** The split header block so far: flags and stream of its first frame, and all payloads. */
  #block: { flags: number; stream: Buffer; payloads: Buffer[] } | undefined;

  /** Takes a chunk of the stream and returns the buffers to forward, in order. */
  take(chunk: Buffer): Buffer[] {
    const out: Buffer[] = [];
    let rest = this.#waiting.length === 0 ? chunk : Buffer.concat([this.#waiting, chunk]);
    this.#waiting = Buffer.alloc(0);
    let plain = 0; // bytes at the start of `rest` to copy unchanged
    const flush = (): void => {
      if (plain > 0) out.push(rest.subarray(0, plain));
      rest = rest.subarray(plain);
      plain = 0;
    };
    for (;;) {
      const copied = Math.min(this.#copying, rest.length - plain);
      plain += copied;
      this.#copying -= copied;
      const available = rest.length - plain;
      if (available === 0) break;
      if (available < FRAME_HEADER_BYTES) {
        flush();
        this.#waiting = rest;
        return out;
      }
      const length = rest.readUIntBE(plain, 3);
      const type = rest[plain + 3]!;
      const flags = rest[plain + 4]!;
      const starts = type === HEADERS && (flags & (END_HEADERS | PADDED | PRIORITY)) === 0;
      if (!starts && !(type === CONTINUATION && this.#block !== undefined)) {
        this.#copying = FRAME_HEADER_BYTES + length;
        continue;
      }
      flush();
      const total = FRAME_HEADER_BYTES + length;
      if (rest.length < total) {
        this.#waiting = rest;
        return out;
      }
      this.#block ??= { flags, stream: rest.subarray(5, 9), payloads: [] };
      this.#block.payloads.push(rest.subarray(FRAME_HEADER_BYTES, total));
      rest = rest.subarray(total);
      if ((flags & END_HEADERS) === 0) continue;
      const block = withoutLongFields(Buffer.concat(this.#block.payloads));
      out.push(...headerFrames(block, this.#block.flags, this.#block.stream));
      this.#block = undefined;
    }
    flush();
    return out;
  }
}

function headerFrames(block: Buffer, flags: number, stream: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at === 0 || at < block.length; at += MAX_FRAME_BYTES) {
    const payload = block.subarray(at, at + MAX_FRAME_BYTES);
    const head = Buffer.alloc(5);
    head.writeUIntBE(payload.length, 0, 3);
    head[3] = at === 0 ? HEADERS : CONTINUATION;
    head[4] = (at === 0 ? flags : 0) | (at + MAX_FRAME_BYTES >= block.length ? END_HEADERS : 0);
    frames.push(head, stream, payload);
  }
  return frames;
}

/** Shortens the long fields of a header block (RFC 7541). Returns a block that cannot be parsed unchanged. */
function withoutLongFields(block: Buffer): Buffer {
  const kept: Buffer[] = [];
  let at = 0;
  /** Reads an integer whose prefix has this many bits (5.1). */
  const integer = (bits: number): number => {
    const most = (1 << bits) - 1;
    let value = block[at++]! & most;
    if (value < most) return value;
    for (let shift = 0; ; shift += 7) {
      const next = block[at++];
      if (next === undefined || shift > 28) throw new RangeError("not a header block");
      value += (next & 0x7f) * 2 ** shift;
      if ((next & 0x80) === 0) return value;
    }
  };
  const string = (): string => {
    const coded = (block[at]! & 0x80) !== 0;
    const length = integer(7);
    at += length;
    const bytes = block.subarray(at - length, at);
    return coded ? decodeHuffman(bytes) : bytes.toString("latin1");
  };
  try {
    while (at < block.length) {
      const start = at;
      const first = block[at]!;
      if ((first & 0x80) !== 0)
        integer(7); // an indexed field
      else if ((first & 0xe0) === 0x20)
        integer(5); // a size update of the dynamic table
      else {
        const indexed = (first & 0x40) !== 0;
        if (integer(indexed ? 6 : 4) === 0) string();
        const named = at;
        const value = string();
        if (!indexed && at - named > MAX_FIELD_BYTES) {
          kept.push(block.subarray(start, named), plainString(shorten(value)));
          continue;
        }
      }
      kept.push(block.subarray(start, at));
    }
  } catch {
    return block;
  }
  return Buffer.concat(kept);
}

/**
 * Keeps the part of a long value that callers need. Its name may be in the dynamic table only, which is not tracked
 * here. But a long value is either the status in base64 or percent-encoded text.
 */
function shorten(value: string): string {
  if (/^[\w+/]+=*$/.test(value)) {
    try {
      return shortStatus(Buffer.from(value, "base64")).toString("base64");
    } catch {
      // The value is text without a blank.
    }
  }
  return encodeURI(`${textOf(value.slice(0, MESSAGE_CHARACTERS))} … ${textOf(value.slice(-MESSAGE_CHARACTERS))}`);
}

/** Decodes a part of a percent-encoded text. Characters that were cut in the middle are dropped. */
function textOf(part: string): string {
  return percentDecoded(part.replace(/^[\dA-F]{1,2}(?=%)|%[\dA-F]?$/gu, "")).replace(/^\uFFFD+|\uFFFD+$/gu, "");
}

const percentDecoded = (text: string): string =>
  Buffer.from(
    text.replace(/%([\dA-F]{2})/gu, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16))),
    "latin1",
  ).toString("utf8");

/** Encodes a string without Huffman's code (5.2). */
function plainString(text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  const length = [127];
  let rest = bytes.length - 127;
  for (; rest >= 128; rest = Math.floor(rest / 128)) length.push((rest % 128) | 0x80);
  return Buffer.concat([Buffer.from([...length, rest]), bytes]);
}

/**
 * Characters of the code of RFC 7541's appendix B, by the length of their codes in bits. The code is canonical, so the
 * lengths define it. gRPC's values are printable ASCII; NUL only reserves its code.
 */
const huffmanLengths: readonly (readonly [bits: number, characters: string])[] = [
  [5, "012aceiost"],
  [6, " %-./3456789=A_bdfghlmnpru"],
  [7, ":BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz"],
  [8, "&*,;XZ"],
  [10, '!"()?'],
  [11, "'+|"],
  [12, "#>"],
  [13, "\0$@[]~"],
  [14, "^}"],
  [15, "<`{"],
  [19, "\\"],
];

/**
 * Two entries per node, for the bits 0 and 1. An entry is the number of the next node, -1 minus the character, or 0 for
 * no code.
 */
const huffmanTree: readonly number[] = (() => {
  const tree = [0, 0];
  let code = 0;
  let length = 0;
  for (const [bits, characters] of huffmanLengths) {
    for (const character of characters) {
      code *= 2 ** (bits - length);
      length = bits;
      let node = 0;
      for (let bit = bits - 1; bit > 0; bit--) {
        const entry = node * 2 + ((code >> bit) & 1);
        if (tree[entry] === 0) tree[entry] = tree.push(0, 0) / 2 - 1;
        node = tree[entry]!;
      }
      tree[node * 2 + (code & 1)] = -1 - character.charCodeAt(0);
      code++;
    }
  }
  return tree;
})();

/** Decodes Huffman-coded bytes. Padding, an incomplete code at the end, is ignored. */
function decodeHuffman(bytes: Buffer): string {
  const out = Buffer.alloc(Math.ceil((bytes.length * 8) / 5));
  let length = 0;
  let node = 0;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      const next = huffmanTree[node * 2 + ((byte >> bit) & 1)]!;
      if (next > 0) node = next;
      else if (next === 0) throw new RangeError("not printable");
      else {
        out[length++] = -1 - next;
        node = 0;
      }
    }
  }
  return out.toString("latin1", 0, length);
}
