import { createHmac } from "node:crypto";

/**
 * The name under which an engine gets a secret. A Dagger engine takes two secrets of one name for the same, also across
 * sessions, and would answer for a new value with the result of the old one: the value is in the name, as a keyed hash.
 */
export function secretName(name: string, plaintext: string, key: Uint8Array): string {
  return `${name}#${createHmac("sha256", key).update(plaintext).digest("hex").slice(0, 16)}`;
}
