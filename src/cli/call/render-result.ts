/** A call's result as `dagger call` prints it: scalars as they are, lists one item a line, objects as `Type@digest`. */
import { createHash } from "node:crypto";
import type { ReturnedValue, TypeRef } from "../../module/index.ts";

export function renderResult(value: ReturnedValue, type: TypeRef, json: boolean): string {
  if (type.kind === "void") return "";
  if (json) return `${JSON.stringify(plain(value), null, 4)}\n`;
  if (isObject(type)) return renderObjects(value);
  return renderPlain(value);
}

function renderPlain(value: ReturnedValue): string {
  if (value === null) return "";
  if (Array.isArray(value)) return value.map((item) => `${renderPlain(item)}\n`).join("");
  return typeof value === "object" ? renderObjects(value) : String(value);
}

function renderObjects(value: ReturnedValue, prefix = ""): string {
  if (Array.isArray(value)) return value.map((item) => renderObjects(item, `${prefix}- `)).join("");
  return value === null ? "" : `${prefix}${reference(value)}\n`;
}

/** JSON of a result: the module's own objects with their fields, core objects as references. */
function plain(value: ReturnedValue): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value;
  if ("$id" in value) return reference(value);
  return Object.fromEntries(Object.entries(value.fields).map(([name, field]) => [name, plain(field)]));
}

/** Says which object it is, and that it is another one when it changes; an id itself holds only for its session. */
function reference(value: ReturnedValue): string {
  if (value === null || typeof value !== "object") return String(value);
  if (Array.isArray(value)) return JSON.stringify(value.map(reference));
  const digest = (text: string): string => `sha256:${createHash("sha256").update(text).digest("hex")}`;
  return "$id" in value ? `${value.$type}@${digest(value.$id)}` : `${value.$object}@${digest(JSON.stringify(value.fields))}`;
}

function isObject(type: TypeRef): boolean {
  return type.kind === "list" ? isObject(type.of) : type.kind === "object" || type.kind === "interface";
}
