/** A project's own random key, and the names that secrets have in an engine by it. */
import { createHmac, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { writeFileAtomically } from "../tree/index.ts";

/** The project's random key for hashing variables; made once, readable by its owner only. */
export function environmentKey(stateDir: string): Uint8Array {
  const file = path.join(stateDir, "environment-key");
  try {
    const key = readFileSync(file);
    if (key.length === 32) return key;
  } catch {
    // None yet: losing it costs one more run of the targets that declare variables.
  }
  const kept = unstoredKeys.get(file);
  if (kept !== undefined) return kept;
  const key = randomBytes(32);
  try {
    writeFileAtomically(file, key, 0o600);
  } catch {
    // A project that cannot be written to: the key holds for this process.
    unstoredKeys.set(file, key);
  }
  return key;
}

const unstoredKeys = new Map<string, Uint8Array>();

/**
 * The name under which an engine gets a secret. A Dagger engine takes two secrets of one name for the same, also across
 * sessions, and would answer for a new value with the result of the old one: the value is in the name, as a keyed hash.
 */
export function secretName(name: string, plaintext: string, stateDir: string): string {
  return `${name}#${createHmac("sha256", environmentKey(stateDir)).update(plaintext).digest("hex").slice(0, 16)}`;
}
