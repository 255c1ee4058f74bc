/** Converts arguments of the function runtime to GraphQL text for a served module. */
import type { TypeRef } from "../../module/index.ts";
import type { QueryOptions } from "../types.ts";
import type { ServedSchema, ServedType } from "./served-schema.ts";

export async function argumentText(
  value: unknown,
  type: TypeRef,
  served: ServedType,
  schema: ServedSchema,
  options: QueryOptions,
): Promise<string> {
  if (Array.isArray(value)) {
    const item = type.kind === "list" ? type.of : type;
    return `[${(await Promise.all(value.map((entry) => argumentText(entry, item, served, schema, options)))).join(", ")}]`;
  }
  if (type.kind === "enum") return schema.enumMember(served.name, String(value), options);
  if (typeof value === "object" && value !== null) {
    if ("$id" in value) return JSON.stringify(value.$id);
    throw new Error(`a ${served.name} cannot be given to a served module`);
  }
  // The engine accepts no integer literal for a float.
  if (type.kind === "float" && Number.isInteger(value)) return `${String(value)}.0`;
  return JSON.stringify(value);
}
