import { createHash, createHmac } from "node:crypto";
import path from "node:path";
import { callName } from "../call/index.ts";
import type { ProjectSnapshot } from "./project-snapshot.ts";
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
  /** Of this project, never shown. */
  environmentKey: Uint8Array;
}

/** `needs` are the digests of the targets that this one needs. */
export function fingerprintOf(
  item: ResolvedTarget,
  context: FingerprintContext,
  needs: Record<string, string>,
): Fingerprint {
  return {
    format: 1,
    function: callName(item.call),
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
