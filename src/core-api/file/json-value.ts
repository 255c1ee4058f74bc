import { ApiError } from "../values/errors.ts";
import { readText } from "./file.ts";
import { id, load, typeModule } from "../values/resolver.ts";
import type { File } from "../values/values.ts";

/** A JSON document; `json` is its compact text. */
interface JsonValue {
  readonly type: "JSONValue";
  readonly json: string;
}

type Parsed = null | string | number | boolean | Parsed[] | { [name: string]: Parsed };

const sdl = /* GraphQL */ `
  "An arbitrary JSON-encoded value."
  scalar JSON

  type JSONValue implements Node {
    id: ID!
    asArray: [JSONValue!]!
    asBoolean: Boolean!
    asInteger: Int!
    asString: String!
    contents(pretty: Boolean = false, indent: String = "  "): JSON!
    field(path: [String!]!): JSONValue!
    fields: [String!]!
    newBoolean(value: Boolean!): JSONValue!
    newInteger(value: Int!): JSONValue!
    newString(value: String!): JSONValue!
    withContents(contents: JSON!): JSONValue!
    withField(path: [String!]!, value: ID! @expectedType(name: "JSONValue")): JSONValue!
  }

  extend type Query {
    json: JSONValue!
  }
`;

const jsonQuery = typeModule<unknown>("Query", "", { json: () => jsonValue(null) });

const jsonModule = typeModule<JsonValue>("JSONValue", sdl, {
  id,
  asArray: (value) => expected(value, "an array", (parsed) => Array.isArray(parsed)).map(jsonValue),
  asBoolean: (value) => expected(value, "a boolean", (parsed): parsed is boolean => typeof parsed === "boolean"),
  asInteger: (value) => expected(value, "an integer", (parsed): parsed is number => Number.isInteger(parsed)),
  asString: (value) => expected(value, "a string", (parsed): parsed is string => typeof parsed === "string"),
  contents: ({ json }, { pretty, indent }: { pretty: boolean; indent: string }) =>
    pretty ? JSON.stringify(JSON.parse(json), null, indent) : json,
  fields: (value) => Object.keys(asObject(value)),
  field: (value, { path }: { path: string[] }) => {
    let current: Parsed = parse(value);
    for (const [index, name] of path.entries()) {
      const found: Parsed | undefined = isObject(current) && Object.hasOwn(current, name) ? current[name] : undefined;
      if (found === undefined) throw new ApiError(`field not found: ${path.slice(0, index + 1).join(".")}`);
      current = found;
    }
    return jsonValue(current);
  },
  newBoolean: (_value, { value }: { value: boolean }) => jsonValue(value),
  newInteger: (_value, { value }: { value: number }) => jsonValue(value),
  newString: (_value, { value }: { value: string }) => jsonValue(value),
  withContents: (_value, { contents }: { contents: unknown }) => jsonOf(String(contents)),
  withField: (value, args: { path: string[]; value: string }, call) => {
    const inserted = parse(load<JsonValue>(call, args.value, "JSONValue"));
    return jsonValue(withField(parse(value), args.path, inserted));
  },
});

const jsonOfFile = typeModule<File>("File", "extend type File { asJSON: JSONValue! }", {
  asJSON: async (file, _args: object, call) => jsonOf(await readText(call, file)),
});

function jsonOf(text: string): JsonValue {
  try {
    return jsonValue(JSON.parse(text) as Parsed);
  } catch (cause) {
    throw new ApiError(`not JSON: ${(cause as Error).message}`, {}, cause);
  }
}

function jsonValue(value: Parsed): JsonValue {
  return { type: "JSONValue", json: JSON.stringify(value) };
}

function parse({ json }: JsonValue): Parsed {
  return JSON.parse(json) as Parsed;
}

function expected<T extends Parsed>(value: JsonValue, what: string, check: (parsed: Parsed) => parsed is T): T {
  const parsed = parse(value);
  if (check(parsed)) return parsed;
  throw new ApiError(`the JSON value is not ${what}`);
}

function asObject(value: JsonValue): Record<string, Parsed> {
  return expected(value, "an object", isObject);
}

function isObject(value: Parsed): value is { [name: string]: Parsed } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function withField(value: Parsed, path: readonly string[], inserted: Parsed): Parsed {
  const [name, ...rest] = path;
  if (name === undefined) return inserted;
  const object = isObject(value) ? value : {};
  // Not a spread: a field named __proto__ is a field like any other.
  const copy = Object.fromEntries(Object.entries(object));
  Object.defineProperty(copy, name, {
    value: withField(Object.hasOwn(object, name) ? object[name]! : {}, rest, inserted),
    enumerable: true,
    configurable: true,
    writable: true,
  });
  return copy;
}

export const jsonModules = [jsonModule, jsonQuery, jsonOfFile];
