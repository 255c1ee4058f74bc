import { createHash, createHmac, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { writeFileAtomically } from "../tree/index.ts";
import type { ProjectSnapshot } from "./project-scan.ts";
import type { ResolvedTarget } from "./resolve.ts";

/** All that decides a target's result. Its SHA-256 is the digest that every result carries. */
export interface Fingerprint {
  /** Moves when this list changes its meaning, so that an old record is never taken for a new one. */
  format: 1;
  /** Which function: another one gives another result on the same files. */
  function: string;
  /** The call's words: arguments change results. Host paths count as written, their content is in `inputs`. */
  call: string[];
  /** Path, mode and content of everything that it reads, by argument. */
  inputs: { argument: string; path: string; digest: string }[];
  /** The module's sources and configuration: the function's own code. */
  module: string;
  /** Kind and version: another engine may have other defaults. */
  engine: string;
  /** Declared variables by name: `unset`, or a keyed hash, so that no value and no guessable hash is stored. */
  environment: Record<string, string>;
  /** The digests of what it needs: it runs again when they did. */
  needs: Record<string, string>;
}

export interface FingerprintContext {
  snapshot: ProjectSnapshot;
  /** Paths in fingerprints are relative to it, so that a moved project keeps its results. */
  root: string;
  moduleDigest: string;
  engine: string;
  environment: NodeJS.ProcessEnv;
  /** Of this project, never shown; see `environmentKey`. */
  environmentKey: Uint8Array;
}

/** `needs` are the digests of the targets that this one needs. */
export function fingerprintOf(item: ResolvedTarget, context: FingerprintContext, needs: Record<string, string>): Fingerprint {
  return {
    format: 1,
    function: item.call.name,
    call: item.call.words,
    inputs: item.inputs.map((input) => ({
      argument: input.argument,
      path: path.relative(context.root, input.path) || ".",
      digest: context.snapshot.digest(input),
    })),
    module: context.moduleDigest,
    engine: context.engine,
    environment: Object.fromEntries(
      item.target.environment.map((name) => [name, keyedHash(context.environment[name], context.environmentKey)]),
    ),
    needs,
  };
}

export function digestOf(fingerprint: Fingerprint): string {
  return createHash("sha256").update(JSON.stringify(fingerprint)).digest("hex");
}

function keyedHash(value: string | undefined, key: Uint8Array): string {
  return value === undefined ? "unset" : createHmac("sha256", key).update(value).digest("hex");
}

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
