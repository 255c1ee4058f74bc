import { readText } from "./file.ts";
import { jsonInThread } from "./json-thread.ts";
import type { Call } from "../request/call.ts";
import { id, load, typeModule } from "../values/resolver.ts";
import type { File } from "../values/values.ts";

/** A JSON document; `json` is its compact text. */
interface JsonValue {
  readonly type: "JSONValue";
  readonly json: string;
}

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

const jsonQuery = typeModule<unknown>("Query", "", { json: () => documentOf("null") });

const jsonModule = typeModule<JsonValue>("JSONValue", sdl, {
  id,
  asArray: async ({ json }, _args: object, call) =>
    (await jsonInThread({ kind: "elements", json }, call)).map(documentOf),
  asBoolean: ({ json }, _args: object, call) => jsonInThread({ kind: "scalar", json, type: "boolean" }, call),
  asInteger: ({ json }, _args: object, call) => jsonInThread({ kind: "scalar", json, type: "integer" }, call),
  asString: ({ json }, _args: object, call) => jsonInThread({ kind: "scalar", json, type: "string" }, call),
  contents: ({ json }, { pretty, indent }: { pretty: boolean; indent: string }, call) =>
    pretty ? jsonInThread({ kind: "pretty", json, indent }, call) : json,
  fields: ({ json }, _args: object, call) => jsonInThread({ kind: "names", json }, call),
  field: async ({ json }, { path }: { path: string[] }, call) =>
    documentOf(await jsonInThread({ kind: "field", json, path }, call)),
  newBoolean: (_value, { value }: { value: boolean }) => documentOf(JSON.stringify(value)),
  newInteger: (_value, { value }: { value: number }) => documentOf(JSON.stringify(value)),
  newString: (_value, { value }: { value: string }) => documentOf(JSON.stringify(value)),
  withContents: (_value, { contents }: { contents: unknown }, call) => compact(String(contents), call),
  withField: async ({ json }, args: { path: string[]; value: string }, call) => {
    const value = load<JsonValue>(call, args.value, "JSONValue").json;
    return documentOf(await jsonInThread({ kind: "insert", json, path: args.path, value }, call));
  },
});

const jsonOfFile = typeModule<File>("File", "extend type File { asJSON: JSONValue! }", {
  asJSON: async (file, _args: object, call) => await compact(await readText(call, file), call),
});

async function compact(text: string, call: Call): Promise<JsonValue> {
  return documentOf(await jsonInThread({ kind: "compact", json: text }, call));
}

function documentOf(json: string): JsonValue {
  return { type: "JSONValue", json };
}

export const jsonModules = [jsonModule, jsonQuery, jsonOfFile];
