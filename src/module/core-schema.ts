/**
 * The core API's types as `fastloop call` chains them. The build extracts the data from the SDK
 * (tools/core-schema.mjs).
 */
import { readFileSync } from "node:fs";
import { distFile } from "../paths/index.ts";
import type { ArgumentInfo, FunctionInfo, TypeRef } from "./types.ts";

export interface CoreType {
  name: string;
  description: string;
  /** Keyed by the field's name in GraphQL. */
  fields: Record<string, FunctionInfo>;
}

export interface CoreSchema {
  type(name: string): CoreType | undefined;
  /** Returns member names as they are sent in GraphQL. */
  enumMembers(name: string): string[] | undefined;
}

interface StoredField {
  description: string;
  args: Pick<ArgumentInfo, "name" | "description" | "type" | "optional">[];
  returns: TypeRef;
}

interface StoredSchema {
  types: Record<string, { description: string; fields: Record<string, StoredField> }>;
  enums: Record<string, string[]>;
}

let loaded: CoreSchema | undefined;

/** Reads the schema on first use, which takes a millisecond. */
export function coreSchema(): CoreSchema {
  loaded ??= toSchema(JSON.parse(readFileSync(distFile("core-schema.json"), "utf8")) as StoredSchema);
  return loaded;
}

function toSchema(stored: StoredSchema): CoreSchema {
  return {
    type(name) {
      const type = stored.types[name];
      if (type === undefined) return undefined;
      const fields = Object.entries(type.fields).map(([field, info]) => [field, toFunction(field, info)] as const);
      return { name, description: type.description, fields: Object.fromEntries(fields) };
    },
    enumMembers: (name) => stored.enums[name],
  };
}

function toFunction(name: string, field: StoredField): FunctionInfo {
  return {
    name,
    description: field.description,
    arguments: field.args.map((argument) => ({ ...argument, nullable: false, variadic: false })),
    returns: field.returns,
    isCheck: false,
    isGenerate: false,
    isUp: false,
  };
}
