/**
 * Seals stored content with an HMAC-SHA256 over its name and bytes, by a key that no repository has. In JSON the code
 * is the last field, so it stays valid JSON; anything else ends with a line that holds the code.
 */
import { createHmac, timingSafeEqual } from "node:crypto";

const codeHex = 64;
const jsonSeal = { before: `,"mac":"`, after: `"}` };
const plainSeal = { before: "\nmac ", after: "\n" };

const sealOf = (name: string): typeof jsonSeal => (name.endsWith(".json") ? jsonSeal : plainSeal);

/**
 * Seals content. `name` is part of the seal, so a file does not count under another name. JSON must be an object with
 * at least one field.
 */
export function seal(key: Uint8Array, name: string, pieces: readonly Uint8Array[]): Uint8Array[] {
  const { before, after } = sealOf(name);
  const body = name.endsWith(".json") ? withoutLastByte(pieces) : pieces;
  return [...body, Buffer.from(`${before}${codeOf(key, name, body)}${after}`)];
}

/** Returns what was sealed under this name; undefined if this key did not seal exactly this content. */
export function unseal(key: Uint8Array, name: string, content: Buffer): Buffer | undefined {
  const { before, after } = sealOf(name);
  const end = content.length - before.length - codeHex - after.length;
  if (end < 0) return undefined;
  const text = content.toString("latin1", end);
  if (!text.startsWith(before) || !text.endsWith(after)) return undefined;
  const body = content.subarray(0, end);
  const expected = Buffer.from(codeOf(key, name, [body]), "latin1");
  if (!timingSafeEqual(expected, content.subarray(end + before.length, end + before.length + codeHex)))
    return undefined;
  if (!name.endsWith(".json")) return body;
  // Replaces the code's field in place; the caller owns the buffer.
  content[end] = 0x7d;
  return content.subarray(0, end + 1);
}

function codeOf(key: Uint8Array, name: string, pieces: readonly Uint8Array[]): string {
  const hmac = createHmac("sha256", key).update(`${name}\0`);
  for (const piece of pieces) hmac.update(piece);
  return hmac.digest("hex");
}

function withoutLastByte(pieces: readonly Uint8Array[]): Uint8Array[] {
  return pieces.map((piece, index) => (index === pieces.length - 1 ? piece.subarray(0, -1) : piece));
}
