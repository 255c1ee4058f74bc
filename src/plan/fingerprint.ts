import { createHash, createHmac } from "node:crypto";
import path from "node:path";
import { callName, secretText, type GivenValue, type ParsedCall } from "../call/index.ts";
import type { ProjectSnapshot } from "./scan/project-snapshot.ts";
import type { ResolvedTarget } from "./resolve.ts";
import type { TargetInput } from "./inputs/target-input.ts";

/** All that decides a result, of a run as of a call. Its SHA-256 is the digest that every result carries. */
export interface Fingerprint {
  /** Moves when this list changes its meaning, so that an old record is never taken for a new one. */
  format: 2;
  /** Which function: another one gives another result on the same files. */
  function: string;
  /**
   * The call: arguments change results. Of a target its words, in which host paths count as written; of `fastloop call`
   * what they mean, for the same call can be written in many ways. The content of paths is in `inputs`.
   */
  call: string[];
  /** Path (of a target's only), mode and content of everything that it reads, by argument. */
  inputs: { argument: string; path: string; digest: string }[];
  /** The module's sources and configuration: the function's own code. */
  module: string;
  /** Which one, what runs bodies, and the build of fastloop (`engineKey`): another one may have other defaults. */
  engine: string;
  /** Declared variables by name: `unset`, or a keyed hash, so that no value and no guessable hash is stored. */
  environment: Record<string, string>;
  /** The digests of what it needs: it runs again when they did. */
  needs: Record<string, string>;
  /**
   * Of `fastloop call`: the values of its secrets by argument, each a keyed hash. Those of a target are not looked at: a
   * token that is renewed makes nothing stale.
   */
  secrets: Record<string, string>;
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
    format: 2,
    function: callName(item.call),
    // As a check, a generator passes with `true` alone; as a target, with either.
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
  /** The user typed it. */
  isTyped?: boolean;
  signal?: AbortSignal;
  /** Of this project, never shown. */
  secretKey: Uint8Array;
}

/** As `fingerprintOf`, for one call of `fastloop call`; `inputs` are what it reads. */
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
    call: meaningOf(call),
    inputs: inputs.map((input) => ({
      argument: input.argument,
      // What is read of a workspace is the function's choice, and may be another file of the same content.
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

/** What the words of a call mean, however they are written; paths and secrets count by their content, which is elsewhere. */
export function meaningOf(call: ParsedCall): string[] {
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
