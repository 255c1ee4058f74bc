import { createHash, createHmac } from "node:crypto";
import path from "node:path";
import { callName, secretText, type GivenValue, type ParsedCall } from "../call/index.ts";
import type { ProjectSnapshot } from "./scan/project-snapshot.ts";
import type { ResolvedTarget } from "./resolve.ts";
import type { TargetInput } from "./inputs/target-input.ts";

/** Everything that decides the result of a run or a call. Every result carries its SHA-256, the digest. */
export interface Fingerprint {
  /** Increased when this list changes its meaning, so that an old record never counts as a new one. */
  format: 2;
  /** Name of the function: another one gives another result for the same files. */
  function: string;
  /**
   * The call, as arguments change results. For a target its words, in which host paths count as written; for `fastloop
   * call` their meaning, since the same call can be written in many ways. The content of paths is in `inputs`.
   */
  call: string[];
  /** Path (only for a target), mode and content of everything that the call reads, by argument. */
  inputs: { argument: string; path: string; digest: string }[];
  /** Digest of the module's sources and configuration: the function's own code. */
  module: string;
  /**
   * Key of the engine, what runs bodies, and the build of fastloop (`engineKey`), as others may have other defaults.
   */
  engine: string;
  /** Declared variables by name: `unset` or a keyed hash, so that neither a value nor a guessable hash is stored. */
  environment: Record<string, string>;
  /** Digests of the target's needs: it runs again after they did. */
  needs: Record<string, string>;
  /**
   * For `fastloop call`: the values of its secrets by argument, as keyed hashes. A target's secrets do not count, so
   * that a renewed token makes nothing stale.
   */
  secrets: Record<string, string>;
}

export interface FingerprintContext {
  snapshot: ProjectSnapshot;
  /** Base of paths in fingerprints, so that a moved project keeps its results. */
  root: string;
  moduleDigest: string;
  engine: string;
  environment: NodeJS.ProcessEnv;
  /** Key for hashes of variables; belongs to this project, never shown. */
  environmentKey: Uint8Array;
}

/** Returns the fingerprint of a target; `needs` holds the digests of the targets that it needs. */
export function fingerprintOf(
  item: ResolvedTarget,
  context: FingerprintContext,
  needs: Record<string, string>,
): Fingerprint {
  return {
    format: 2,
    function: callName(item.call),
    // As a check, a generator passes only with `true`; as a target, with either value.
    call: item.target.isGenerator === true ? [...item.call.words, "true"] : item.call.words,
    inputs: item.inputs.map((input) => ({
      argument: input.argument,
      path: path.relative(context.root, input.path) || ".",
      digest: context.snapshot.digest(input),
    })),
    module: item.call.toolchain?.module.digest ?? context.moduleDigest,
    engine: context.engine,
    environment: Object.fromEntries(
      item.target.environment.map((name) => [name, keyedHash(context.environment[name], context.environmentKey)]),
    ),
    needs,
    secrets: {},
  };
}

export interface CallFingerprintContext extends Pick<
  FingerprintContext,
  "snapshot" | "moduleDigest" | "engine" | "environment"
> {
  cwd: string;
  /** Whether the user typed the call. */
  isTyped?: boolean;
  signal?: AbortSignal;
  /** Key for hashes of secrets; belongs to this project, never shown. */
  secretKey: Uint8Array;
}

/**
 * Returns the fingerprint of one `fastloop call`; `inputs` are what it reads. Throws a `UserError` if a secret cannot
 * be read.
 */
export async function fingerprintOfCall(
  call: ParsedCall,
  inputs: readonly TargetInput[],
  { snapshot, moduleDigest, engine, environment, cwd, isTyped, signal, secretKey }: CallFingerprintContext,
): Promise<Fingerprint> {
  const secrets: Record<string, string> = {};
  const steps = [...call.own.filter((step) => step.kind === "function"), ...call.core];
  for (const [index, { given }] of steps.entries()) {
    for (const { argument, value } of given) {
      for (const [at, secret] of secretsIn(value).entries()) {
        const text = await secretText(secret, argument, { env: environment, cwd, isTyped }, signal);
        secrets[`${index} ${argument.name} ${at}`] = keyedHash(text, secretKey);
      }
    }
  }
  return {
    format: 2,
    function: callName(call),
    call: canonicalCall(call),
    inputs: inputs.map((input) => ({
      argument: input.argument,
      // The function chooses what it reads of a workspace, possibly another file with the same content.
      path: input.read === undefined ? "" : JSON.stringify(input.read),
      digest: snapshot.digest(input),
    })),
    module: call.toolchain?.module.digest ?? moduleDigest,
    engine,
    environment: {},
    needs: {},
    secrets,
  };
}

/**
 * Returns the meaning of a call, however it is written. Paths and secrets count by their content, which is elsewhere.
 */
export function canonicalCall(call: ParsedCall): string[] {
  const own = call.own.map((step) =>
    step.kind === "field"
      ? { field: step.name }
      : { object: step.object, name: step.fn.name, given: givenIn(step.given) },
  );
  const core = call.core.map(({ type, fn, given }) => ({ object: type, name: fn.name, given: givenIn(given) }));
  return [...own, ...core].map((step) => JSON.stringify(step));
}

function givenIn(given: ParsedCall["core"][number]["given"]): [string, unknown][] {
  return given
    .map(({ argument, value }): [string, unknown] => [argument.name, textOf(value)])
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

function textOf(value: GivenValue): unknown {
  if (value.kind === "list") return value.items.map(textOf);
  return value.kind === "directory" || value.kind === "file" || value.kind === "secret" ? value.kind : value;
}

function secretsIn(value: GivenValue): Extract<GivenValue, { kind: "secret" }>[] {
  if (value.kind === "list") return value.items.flatMap(secretsIn);
  return value.kind === "secret" ? [value] : [];
}

export function digestOf(fingerprint: Fingerprint): string {
  return createHash("sha256").update(JSON.stringify(fingerprint)).digest("hex");
}

function keyedHash(value: string | undefined, key: Uint8Array): string {
  return value === undefined ? "unset" : createHmac("sha256", key).update(value).digest("hex");
}
