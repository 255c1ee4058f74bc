/**
 * Checks a function's value against its declared type. The value comes from the body's process and becomes part of
 * queries with the user's rights: an object's type is inserted into their text.
 */
import type { ModuleInfo, ObjectInfo, ReturnedValue, TypeRef } from "../types.ts";

/** Deeper nesting is rejected. */
const maxDepth = 100;

/** The message completes the sentence "the function returned …". */
export class UnexpectedValue extends Error {
  override readonly name = "UnexpectedValue";
}

type Types = Pick<ModuleInfo, "objects" | "interfaces">;

/**
 * Returns the value in the form that may be passed on. Throws `UnexpectedValue` if it does not fit the declared type.
 */
export function checkReturned(value: unknown, type: TypeRef, module: Types, depth = 0): ReturnedValue {
  if (depth > maxDepth) throw new UnexpectedValue("values nested too deep");
  if (value === null || value === undefined) return null;
  if (Array.isArray(value)) {
    const item = type.kind === "list" ? type.of : type;
    return value.map((each) => checkReturned(each, item, module, depth + 1));
  }
  if (typeof value !== "object") return value as string | number | boolean;
  // As in an engine, the value of a function that declares no value is dropped.
  if (type.kind === "void") return null;
  if (type.kind === "object" || type.kind === "interface")
    return checkObject(value as Record<string, unknown>, type, module, depth);
  throw new UnexpectedValue(`an object where ${described(type)} is declared`);
}

function checkObject(
  value: Record<string, unknown>,
  type: Extract<TypeRef, { name: string }>,
  module: Types,
  depth: number,
): ReturnedValue {
  const isInterface = type.kind === "interface" || Object.hasOwn(module.interfaces, type.name);
  if (typeof value.$id === "string" && typeof value.$type === "string" && Object.keys(value).length === 2) {
    const fits = isInterface ? /^[_A-Za-z][_0-9A-Za-z]*$/.test(value.$type) : value.$type === type.name;
    if (!fits) throw new UnexpectedValue(`an object of another type where ${type.name} is declared`);
    return { $id: value.$id, $type: value.$type };
  }
  const name = typeof value.$object === "string" ? value.$object : "";
  const info = ownObject(module, name);
  // A value of an interface type is an instance of one of the module's classes.
  if (info === undefined || (!isInterface && ownObject(module, type.name) !== info) || !isRecord(value.fields)) {
    throw new UnexpectedValue(`no object of the type ${type.name}, which is declared`);
  }
  const fields: Record<string, ReturnedValue> = {};
  for (const [key, item] of Object.entries(value.fields)) {
    const field = Object.values(info.fields).find((candidate) => (candidate.alias ?? candidate.name) === key);
    if (field === undefined) throw new UnexpectedValue(`a field that ${name} does not have`);
    fields[key] = checkReturned(item, field.type, module, depth + 1);
  }
  return { $object: name, fields };
}

function ownObject({ objects }: Types, name: string): ObjectInfo | undefined {
  return Object.hasOwn(objects, name) ? objects[name] : undefined;
}

function described(type: TypeRef): string {
  return type.kind === "list" ? `a list of ${described(type.of)}` : "name" in type ? type.name : type.kind;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
