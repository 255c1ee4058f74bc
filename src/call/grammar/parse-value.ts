/** Parses one value of a flag according to its type. Paths are resolved, but nothing is read. */
import { UserError } from "../../errors/index.ts";
import path from "node:path";
import { coreSchema, type ArgumentInfo, type ModuleInfo, type TypeRef } from "../../module/index.ts";
import { servedMember } from "./served-names.ts";
import { flagName } from "./signature.ts";
import { splitList } from "./split-list.ts";
import type { GivenValue } from "../types.ts";

export interface ValueContext {
  module: ModuleInfo;
  /** Base of relative paths. */
  cwd: string;
}

/** Combines the values of a repeated flag: lists grow, otherwise the last one counts. */
export function parseValues(argument: ArgumentInfo, texts: readonly string[], context: ValueContext): GivenValue {
  const { type } = argument;
  if (type.kind !== "list") return parseValue(argument, type, texts.at(-1) ?? "", context);
  const items = texts.flatMap((text) => splitList(text, type.of, `--${flagName(argument)}`));
  return { kind: "list", items: items.map((text) => parseValue(argument, type.of, text, context, true)) };
}

/** Reports whether a command line can express the type; flags of other types are not offered. */
export function isSupported(type: TypeRef, module: ModuleInfo): boolean {
  if (type.kind === "list") return type.of.kind !== "list" && isSupported(type.of, module);
  if (type.kind === "object") return objectParsers[type.name] !== undefined && module.objects[type.name] === undefined;
  return type.kind !== "interface" && type.kind !== "void";
}

function parseValue(
  argument: ArgumentInfo,
  type: TypeRef,
  text: string,
  context: ValueContext,
  inList = false,
): GivenValue {
  const wrong = (expected: string, hint?: string): UserError =>
    new UserError("usage", `${expected} was expected, not "${text}"`, { place: `--${flagName(argument)}`, hint });
  switch (type.kind) {
    case "string":
      return { kind: "literal", value: text };
    case "integer":
      return { kind: "literal", value: (inList ? decimal(text) : integer(text)) ?? fail(wrong("a whole number")) };
    case "float":
      if (!/^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i.test(text) || !Number.isFinite(Number(text)))
        throw wrong("a number");
      return { kind: "literal", value: Number(text) };
    case "boolean":
      if (!/^(?:true|True|TRUE|t|T|1|false|False|FALSE|f|F|0)$/.test(text)) throw wrong("true or false");
      return { kind: "literal", value: /^[tT1]/.test(text) };
    case "enum":
      return { kind: "enum", member: enumMember(type.name, text, context, wrong) };
    case "scalar":
      return { kind: "literal", value: type.name === "Platform" ? platform(text, wrong) : text };
    case "input":
      return inputValue(type.name, text, wrong);
    case "object":
      return objectValue(type.name, text, context, wrong);
    default:
      throw wrong("nothing that a command line can give");
  }
}

/**
 * Parses an integer as `dagger call` does: with a prefix (`0x1f`, `0o17`, `017`, `0b11`, `1_000`), except in lists,
 * which are decimal.
 */
function integer(text: string): number | undefined {
  const [, sign = "", prefix = "", digits = ""] =
    /^([+-]?)(0[xob]|0(?=_?\d))?_?(\d(?:_?\d)*|[0-9a-f](?:_?[0-9a-f])*)$/i.exec(text) ?? [];
  if (prefix === "") return decimal(`${sign}${digits.replaceAll("_", "")}`);
  const literal = `${prefix === "0" ? "0o" : prefix.toLowerCase()}${digits.replaceAll("_", "")}`;
  const allowed = { "0x": /^[0-9a-f]+$/i, "0o": /^[0-7]+$/, "0b": /^[01]+$/ }[literal.slice(0, 2)];
  return allowed?.test(literal.slice(2)) === true ? safe(sign === "-" ? -Number(literal) : Number(literal)) : undefined;
}

const decimal = (text: string): number | undefined => (/^[+-]?\d+$/.test(text) ? safe(Number(text)) : undefined);

/** Rejects numbers that JavaScript cannot represent exactly. */
const safe = (value: number): number | undefined => (Number.isSafeInteger(value) ? value : undefined);

type Wrong = (expected: string, hint?: string) => UserError;
type ObjectParser = (text: string, context: ValueContext, wrong: Wrong) => GivenValue;

const objectParsers: Record<string, ObjectParser> = {
  Directory: (text, { cwd }) => gitValue(text, "directory") ?? { kind: "directory", path: hostPath(cwd, text) },
  File: (text, { cwd }) => gitValue(text, "file") ?? { kind: "file", path: hostPath(cwd, text) },
  GitRepository: (text, _context, wrong) => gitValue(text, "repository") ?? fail(wrong("the URL of a git repository")),
  GitRef: (text, _context, wrong) => gitValue(text, "ref") ?? fail(wrong("the URL of a git repository with #ref")),
  Container: (text) => ({ kind: "container", address: text }),
  CacheVolume: (text) => ({ kind: "cache-volume", key: text }),
  Secret: (text, _context, wrong) => secretValue(text, wrong),
  Service: (text, _context, wrong) => serviceValue(text, wrong),
  Socket: (text, { cwd }) => ({ kind: "socket", path: hostPath(cwd, text.replace(/^unix:\/\//, "")) }),
};

function objectValue(name: string, text: string, context: ValueContext, wrong: Wrong): GivenValue {
  const parser = objectParsers[name];
  if (parser === undefined) throw wrong(`a ${name} cannot be given on a command line; another type`);
  if (text === "") throw wrong(`a ${name}`);
  return parser(text, context, wrong);
}

function fail(error: Error): never {
  throw error;
}

function hostPath(cwd: string, text: string): string {
  return path.resolve(cwd, text.replace(/^file:\/\//, ""));
}

/** Parses `URL[#ref[:subdir]]` as `dagger call` does; undefined if it is no git URL. */
function gitValue(text: string, wanted: "directory" | "file" | "repository" | "ref"): GivenValue | undefined {
  if (!/^(?:https?:\/\/|git:\/\/|ssh:\/\/|git@)/.test(text)) return undefined;
  const hash = text.indexOf("#");
  if (hash < 0) return { kind: "git", url: text, wanted };
  const fragment = text.slice(hash + 1);
  const colon = fragment.indexOf(":");
  const ref = colon < 0 ? fragment : fragment.slice(0, colon);
  return {
    kind: "git",
    url: text.slice(0, hash),
    ref: ref === "" ? undefined : ref,
    subdir: colon < 0 ? undefined : fragment.slice(colon + 1),
    wanted,
  };
}

/** A bare word is the name of a variable, as it was before schemes existed. */
function secretValue(text: string, wrong: Wrong): GivenValue {
  const withoutOptions = text.replace(/\?cacheKey=[^?]*$/, "");
  const match = /^([a-z]+):(?:\/\/)?(.+)$/s.exec(withoutOptions);
  const scheme = match?.[1] ?? "env";
  const rest = match?.[2] ?? withoutOptions;
  if (scheme !== "env" && scheme !== "file" && scheme !== "cmd") {
    throw wrong("env://NAME, file://PATH or cmd://COMMAND", `secrets of ${scheme}:// need a Dagger engine`);
  }
  return { kind: "secret", scheme, rest, uri: `${scheme}://${rest}` };
}

function serviceValue(text: string, wrong: Wrong): GivenValue {
  const match = /^(tcp|udp):\/\/(\[[^\]]+\]|[^:/]+):(\d+)$/.exec(text);
  if (match === null) throw wrong("tcp://HOST:PORT or udp://HOST:PORT");
  const [, protocol = "tcp", host = "", port] = match;
  return { kind: "service", host, port: Number(port), protocol: protocol === "udp" ? "UDP" : "TCP" };
}

function inputValue(name: string, text: string, wrong: Wrong): GivenValue {
  if (name === "PortForward") {
    const match = /^(\d+):(\d+)$/.exec(text);
    if (match === null) throw wrong("FRONTEND:BACKEND, two port numbers");
    return { kind: "input", fields: { frontend: Number(match[1]), backend: Number(match[2]) } };
  }
  const equals = text.indexOf("=");
  if (equals < 1) throw wrong("NAME=VALUE");
  return { kind: "input", fields: { name: text.slice(0, equals), value: text.slice(equals + 1) } };
}

function enumMember(name: string, text: string, { module }: ValueContext, wrong: Wrong): string {
  const members = Object.keys(module.enums[name]?.members ?? {});
  const known = members.length > 0 ? members : (coreSchema().enumMembers(name) ?? []);
  // `VeryHigh` in the code is `VERY_HIGH` in an engine; both are accepted.
  const plain = (member: string): string => member.replaceAll(/[^A-Za-z0-9]/g, "").toLowerCase();
  const found = known.find((member) => member === text) ?? known.find((member) => plain(member) === plain(text));
  if (found === undefined) throw wrong(`one of ${(members.length > 0 ? members.map(servedMember) : known).join(", ")}`);
  return found;
}

function platform(text: string, wrong: Wrong): string {
  if (text === "current") return `linux/${process.arch === "x64" ? "amd64" : process.arch}`;
  if (!/^[a-z0-9_]+\/[a-z0-9_]+(?:\/[a-z0-9_.]+)?$/i.test(text)) throw wrong("a platform such as linux/arm64");
  return text;
}

/** `-` alone means a file to many programs, so it is not an option. */
export const isOption = (word: string): boolean => /^--?[A-Za-z]/.test(word);

export function missingValue(option: string, next: string): UserError {
  const long = option.startsWith("--");
  return new UserError("usage", "a value is missing", {
    place: option,
    hint: `${next} is an option; ${long ? `${option}=${next}` : `${option}${next}`} if that is the value`,
  });
}
