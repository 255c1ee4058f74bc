import { readFileSync } from "node:fs";
import path from "node:path";
import type { EngineSession, QueryOptions } from "../engine/types.ts";
import { UserError } from "../errors/index.ts";
import { argumentInput, kebabCase, type ArgumentInfo, type ModuleInfo, type TypeRef } from "../module/index.ts";
import { secretName, type CallStep } from "../plan/index.ts";

/** What values of a call are made of: the session's objects, and secrets that no log may show. */
export interface ArgumentSources {
  module: ModuleInfo;
  session: EngineSession;
  root: string;
  environment: NodeJS.ProcessEnv;
  query: QueryOptions;
  /** Id of the tree or file that was hashed for this argument. */
  hostInput(argument: string, kind: "directory" | "file", hostPath: string): Promise<string>;
  /** Told every secret's plaintext. */
  onSecret(plaintext: string): void;
  place: string;
}

/** The arguments of one step as the module host takes them: by name in code, objects as ids. */
export async function argumentsOf(step: CallStep, sources: ArgumentSources): Promise<Record<string, unknown>> {
  const values: Record<string, unknown> = {};
  for (const argument of step.fn.arguments) {
    const value = await argumentValue(argument, step, sources);
    if (value !== undefined) values[argument.name] = value;
    else if (!argument.optional && argument.defaultValue === undefined && !argument.nullable && !argument.variadic) {
      throw new UserError("config", `"${kebabCase(step.fn.name)}" needs --${kebabCase(argument.name)}`, { place: sources.place });
    }
  }
  return values;
}

async function argumentValue(argument: ArgumentInfo, step: CallStep, sources: ArgumentSources): Promise<unknown> {
  const written = step.values.get(argument.name);
  const explicitPath = step.paths.get(argument.name);
  if (explicitPath !== undefined) return { $id: await sources.hostInput(argument.name, fileKind(argument.type), explicitPath) };
  if (written !== undefined) {
    if (argument.type.kind !== "list") return convert(argument, argument.type, written.at(-1)!, sources);
    const { of } = argument.type;
    return Promise.all(written.flatMap((text) => text.split(",")).map((text) => convert(argument, of, text, sources)));
  }
  const contextual = argumentInput(sources.module, argument, step.fn.place);
  if (contextual !== undefined) return { $id: await sources.hostInput(argument.name, contextual.kind, contextual.path) };
  if (argument.defaultAddress !== undefined) return { $id: await containerFrom(argument.defaultAddress, sources) };
  return undefined;
}

function fileKind(type: TypeRef): "directory" | "file" {
  return type.kind === "object" && type.name === "File" ? "file" : "directory";
}

async function convert(argument: ArgumentInfo, type: TypeRef, text: string, sources: ArgumentSources): Promise<unknown> {
  const wrong = (expected: string): UserError =>
    new UserError("config", `--${kebabCase(argument.name)} is ${expected}, not "${text}"`, { place: sources.place });
  switch (type.kind) {
    case "integer":
      if (!/^[+-]?\d+$/.test(text)) throw wrong("a whole number");
      return Number(text);
    case "float":
      if (text.trim() === "" || Number.isNaN(Number(text))) throw wrong("a number");
      return Number(text);
    case "boolean":
      if (text !== "true" && text !== "false") throw wrong("true or false");
      return text === "true";
    case "object":
      return { $id: await coreObject(argument, type.name, text, sources) };
    case "list":
    case "interface":
      throw wrong("nothing that a command line can give");
    default:
      return text;
  }
}

async function coreObject(argument: ArgumentInfo, type: string, text: string, sources: ArgumentSources): Promise<string> {
  const { session, query } = sources;
  if (type === "Secret") {
    const plaintext = secretText(text, sources);
    sources.onSecret(plaintext);
    const document = "query SetSecret($name: String!, $plaintext: String!) { setSecret(name: $name, plaintext: $plaintext) { id } }";
    const variables = { name: secretName(`${sources.module.name}-${text}`, plaintext, path.join(sources.root, ".fastloop")), plaintext };
    return (await session.query<{ setSecret: { id: string } }>(document, variables, query)).setSecret.id;
  }
  if (type === "Container") return containerFrom(text, sources);
  if (type === "CacheVolume") {
    const document = "query Cache($key: String!) { cacheVolume(key: $key) { id } }";
    return (await session.query<{ cacheVolume: { id: string } }>(document, { key: text }, query)).cacheVolume.id;
  }
  throw new UserError("config", `--${kebabCase(argument.name)}: a ${type} cannot be given to a watched call`, {
    place: sources.place,
    hint: "call it with `fastloop call`, or give the function a default",
  });
}

async function containerFrom(address: string, { session, query }: ArgumentSources): Promise<string> {
  const document = "query From($address: String!) { container { from(address: $address) { id } } }";
  const result = await session.query<{ container: { from: { id: string } } }>(document, { address }, query);
  return result.container.from.id;
}

/** `env:NAME` (or `env://NAME`), `file:PATH`; the value itself is never part of a call. */
function secretText(reference: string, sources: ArgumentSources): string {
  const [, scheme, rest] = /^(env|file):(?:\/\/)?(.+)$/.exec(reference) ?? [];
  if (scheme === "env") {
    const value = sources.environment[rest!];
    if (value !== undefined) return value;
    throw new UserError("config", `the secret's variable ${rest} is not set`, { place: sources.place });
  }
  if (scheme === "file") return readFileSync(path.resolve(sources.root, rest!), "utf8");
  throw new UserError("config", "a secret is given as env:NAME or file:PATH", { place: sources.place });
}
