/** Converts given values to what a function takes: objects become ids of the open session. */
import { createHmac } from "node:crypto";
import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { isPipe, readPipe, readRegular, statIfThere, UnfitFile } from "../paths/index.ts";
import type { EngineSession, QueryOptions } from "../engine/index.ts";
import { UserError } from "../errors/index.ts";
import { argumentInput, workspaceHandle, type ArgumentInfo, type ModuleInfo } from "../module/index.ts";
import { enumLiteral, literal } from "./query.ts";
import { flagName } from "./grammar/signature.ts";
import type { GivenArgument, GivenValue } from "./types.ts";

/** A host directory or file that an argument was given or has by `defaultPath`; absolute. */
export type HostInput = Extract<GivenValue, { kind: "directory" | "file" }>;

export interface ResolveContext {
  module: ModuleInfo;
  session: EngineSession;
  query: QueryOptions;
  env: NodeJS.ProcessEnv;
  /** Base of relative `file://` secrets. */
  cwd: string;
  /** Whether the engine fills in `defaultPath` and `defaultAddress` itself, as it does for a module that it serves. */
  engineFillsDefaults: boolean;
  /** Whether the user typed the call; only then may a secret come from a pipe. */
  isTyped?: boolean;
  /** Key of the project, by which secrets are named. */
  secretKey: Uint8Array;
  /** Called with the plaintext of every secret before the engine receives it. */
  onSecret(plaintext: string, name: string): void;
  /** Returns the id of a host tree or file in the caller's own way; by default the session is asked. */
  hostInput?: (input: HostInput, argument: ArgumentInfo) => Promise<string>;
}

/** A resolved value: JSON, with objects as `{ $id }` and enum members as their names. */
export type ResolvedValue = unknown;

/**
 * Resolves all arguments of a module's step, including those from `defaultPath` and `defaultAddress`; keyed by name in
 * code.
 */
export async function resolveArguments(
  signature: readonly ArgumentInfo[],
  given: readonly GivenArgument[],
  context: ResolveContext,
): Promise<Record<string, unknown>> {
  const entries = await Promise.all(
    signature.map(async (argument): Promise<[string, unknown]> => {
      const written = given.find((candidate) => candidate.argument === argument)?.value;
      if (argument.engineFills === true && written === undefined && !context.engineFillsDefaults)
        return [argument.name, { $id: workspaceHandle, $type: "Workspace" }];
      // The project sets this default, so the code does not have it.
      if (argument.isProjectDefault === true && written === undefined && !context.engineFillsDefaults)
        return [argument.name, argument.defaultValue];
      const value = written ?? (context.engineFillsDefaults ? undefined : defaultOf(argument, context.module));
      return [argument.name, value === undefined ? undefined : await resolveValue(value, argument, context)];
    }),
  );
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

/** Returns an argument's given or default value; undefined if it has neither. `place` is the function's, for errors. */
export function valueOf(
  argument: ArgumentInfo,
  given: readonly GivenArgument[],
  module: ModuleInfo,
  place?: string,
): GivenValue | undefined {
  return given.find((candidate) => candidate.argument === argument)?.value ?? defaultOf(argument, module, place);
}

/** Returns the default that the engine would fill in. */
function defaultOf(argument: ArgumentInfo, module: ModuleInfo, place?: string): GivenValue | undefined {
  if (argument.defaultAddress !== undefined) return { kind: "container", address: argument.defaultAddress };
  const input = argumentInput(module, argument, place);
  return input === undefined ? undefined : { kind: input.kind, path: input.path };
}

/** Resolves an argument's value to GraphQL text. */
export async function resolveLiteral(given: GivenArgument, context: ResolveContext): Promise<string> {
  return toLiteral(given.value, given.argument, context);
}

async function toLiteral(value: GivenValue, argument: ArgumentInfo, context: ResolveContext): Promise<string> {
  if (value.kind === "list") {
    return `[${(await Promise.all(value.items.map((item) => toLiteral(item, argument, context)))).join(", ")}]`;
  }
  if (value.kind === "enum") return enumLiteral(value.member);
  const resolved = await resolveValue(value, argument, context);
  const isObject = typeof resolved === "object" && resolved !== null && "$id" in resolved;
  return literal(isObject ? resolved.$id : resolved);
}

async function resolveValue(
  value: GivenValue,
  argument: ArgumentInfo,
  context: ResolveContext,
): Promise<ResolvedValue> {
  switch (value.kind) {
    case "literal":
      return value.value;
    case "enum":
      return value.member;
    case "input":
      return value.fields;
    case "list":
      return Promise.all(value.items.map((item) => resolveValue(item, argument, context)));
    default:
      return { $id: await objectId(value, argument, context) };
  }
}

type ObjectValue = Exclude<GivenValue, { kind: "literal" | "enum" | "input" | "list" }>;

async function objectId(value: ObjectValue, argument: ArgumentInfo, context: ResolveContext): Promise<string> {
  const { session, query } = context;
  const ask = async (selection: string): Promise<string> => {
    const answer = await session.query<Record<string, unknown>>(`{ ${selection} }`, {}, query);
    return innermost(answer);
  };
  if ((value.kind === "directory" || value.kind === "file") && context.hostInput !== undefined)
    return context.hostInput(value, argument);
  switch (value.kind) {
    case "directory":
      requirePath(value.path, "directory", argument);
      return ask(
        `host { directory(path: ${literal(value.path)}, exclude: ${literal(argument.ignore ?? [])}, noCache: true) { id } }`,
      );
    case "file":
      requirePath(value.path, "file", argument);
      return ask(`host { file(path: ${literal(value.path)}, noCache: true) { id } }`);
    case "git":
      return ask(gitSelection(value));
    case "secret": {
      const plaintext = await secretText(value, argument, context, query.signal);
      context.onSecret(plaintext, value.uri);
      const name = secretName(value.uri, plaintext, context.secretKey);
      return ask(`setSecret(name: ${literal(name)}, plaintext: ${literal(plaintext)}) { id }`);
    }
    case "container":
      return ask(`container { from(address: ${literal(value.address)}) { id } }`);
    case "service": {
      const port = `{ frontend: ${value.port}, backend: ${value.port}, protocol: ${value.protocol} }`;
      return ask(`host { service(host: ${literal(value.host)}, ports: [${port}]) { id } }`);
    }
    case "socket":
      return ask(`host { unixSocket(path: ${literal(value.path)}) { id } }`);
    default:
      return ask(`cacheVolume(key: ${literal(value.key)}) { id }`);
  }
}

function gitSelection({ url, ref, subdir, wanted }: Extract<GivenValue, { kind: "git" }>): string {
  if (wanted === "repository") return `git(url: ${literal(url)}) { id }`;
  const at = ref === undefined ? "head" : `ref(name: ${literal(ref)})`;
  const inner =
    wanted === "ref"
      ? "id"
      : subdir === undefined
        ? "tree { id }"
        : `tree { ${wanted}(path: ${literal(subdir)}) { id } }`;
  return `git(url: ${literal(url)}) { ${at} { ${inner} } }`;
}

type GivenSecret = Extract<GivenValue, { kind: "secret" }>;

/**
 * Returns the value of a secret reference. `cmd` runs in a shell, and its whole output is the secret. Throws a
 * `UserError` if the secret cannot be read.
 */
export async function secretText(
  secret: GivenSecret,
  argument: ArgumentInfo,
  { env, cwd, isTyped }: Pick<ResolveContext, "env" | "cwd" | "isTyped">,
  signal?: AbortSignal,
): Promise<string> {
  const { scheme, rest } = secret;
  const place = `--${flagName(argument)}`;
  if (scheme === "env") {
    const value = env[rest];
    if (value === undefined) throw new UserError("usage", `the variable ${rest} is not set`, { place });
    return value;
  }
  if (scheme === "file") {
    try {
      const file = path.resolve(cwd, rest.replace(/^~(?=\/)/, env.HOME ?? "~"));
      const content = isTyped === true && isPipe(file) ? await onceFrom(secret, file, signal) : readRegular(file);
      return content.toString("utf8");
    } catch (cause) {
      signal?.throwIfAborted();
      const reason = cause instanceof UnfitFile ? `: ${cause.message}` : "";
      throw new UserError("usage", `the secret's file ${rest} cannot be read${reason}`, { place, cause });
    }
  }
  try {
    return (await promisify(execFile)("sh", ["-c", rest], { cwd, env, signal })).stdout;
  } catch (cause) {
    signal?.throwIfAborted();
    // The error leaves out the command's output, which may contain the secret.
    throw new UserError("usage", "the secret's command failed", { place, cause });
  }
}

const fromPipes = new WeakMap<GivenSecret, Promise<Buffer>>();

/**
 * Reads a pipe only once, because a call needs the secret several times: for its key, its arguments, and its key again.
 */
function onceFrom(secret: GivenSecret, file: string, signal: AbortSignal | undefined): Promise<Buffer> {
  let reading = fromPipes.get(secret);
  if (reading === undefined) fromPipes.set(secret, (reading = readPipe(file, signal)));
  return reading;
}

/** Throws a `UserError` if the path is missing or of another kind. */
export function requirePath(target: string, kind: "directory" | "file", argument: ArgumentInfo): void {
  const stats = statIfThere(target);
  const place = `--${flagName(argument)}`;
  if (stats === undefined) throw new UserError("usage", `there is no ${kind} ${target}`, { place });
  if (kind === "directory" ? !stats.isDirectory() : !stats.isFile()) {
    throw new UserError("usage", `${target} is no ${kind}`, { place });
  }
}

function innermost(answer: unknown): string {
  let value = answer;
  while (typeof value === "object" && value !== null) value = Object.values(value)[0];
  return String(value);
}

/**
 * Returns the name under which the engine gets a secret. A Dagger engine treats two secrets with one name as the same,
 * even across sessions, and would answer a new value with the old one's result. The name therefore contains a keyed
 * hash of the value.
 */
export function secretName(name: string, plaintext: string, key: Uint8Array): string {
  return `${name}#${createHmac("sha256", key).update(plaintext).digest("hex").slice(0, 16)}`;
}
