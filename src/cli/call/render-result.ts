/**
 * Renders a call's result as `dagger call` does: scalars as they are, lists one item a line, objects as `Type@digest`.
 */
import { createHash } from "node:crypto";
import { servedMember, servedObject } from "../../call/index.ts";
import type { ModuleInfo, ReturnedValue, TypeRef } from "../../module/index.ts";

/**
 * Returns a result as text, or with `json` as indented JSON. `type` is the call's return type; a void result is empty.
 */
export function renderResult(value: ReturnedValue, type: TypeRef, json: boolean, module: ModuleInfo): string {
  if (type.kind === "void") return "";
  const renderer = new Renderer(module);
  if (json) return `${JSON.stringify(renderer.plain(value, type), null, 4)}\n`;
  return isObject(type) ? renderer.objects(value) : renderer.text(value, type);
}

class Renderer {
  private readonly module: ModuleInfo;

  constructor(module: ModuleInfo) {
    this.module = module;
  }

  text(value: ReturnedValue, type: TypeRef): string {
    if (value === null) return "";
    if (Array.isArray(value)) return value.map((item) => `${this.text(item, itemOf(type))}\n`).join("");
    return typeof value === "object" ? this.objects(value) : String(this.scalar(value, type));
  }

  objects(value: ReturnedValue, prefix = ""): string {
    if (Array.isArray(value)) return value.map((item) => this.objects(item, `${prefix}- `)).join("");
    return value === null ? "" : `${prefix}${this.reference(value)}\n`;
  }

  /** Returns a result as JSON data: the module's own objects with their exposed fields, core objects as references. */
  plain(value: ReturnedValue, type: TypeRef): unknown {
    if (Array.isArray(value)) return value.map((item) => this.plain(item, itemOf(type)));
    if (value === null) return null;
    if (typeof value !== "object") return this.scalar(value, type);
    if ("$id" in value) return this.reference(value);
    const infos = Object.values(this.module.objects[value.$object]?.fields ?? {});
    const shown = Object.entries(value.fields).flatMap(([name, field]) => {
      const info = infos.find((candidate) => (candidate.alias ?? candidate.name) === name);
      return info?.exposed === true ? [[name, this.plain(field, info.type)]] : [];
    });
    return Object.fromEntries(shown);
  }

  private scalar(value: string | number | boolean, type: TypeRef): string | number | boolean {
    const isMember = type.kind === "enum" && this.module.enums[type.name] !== undefined;
    return isMember ? servedMember(String(value)) : value;
  }

  /**
   * Returns the type and a digest, which identifies the object and changes with it. The id itself is valid only in its
   * session.
   */
  private reference(value: Exclude<ReturnedValue, null | ReturnedValue[]>): string {
    if (typeof value !== "object") return String(value);
    const digest = (text: string): string => `sha256:${createHash("sha256").update(text).digest("hex")}`;
    if ("$id" in value) return `${value.$type}@${digest(value.$id)}`;
    return `${servedObject(value.$object, this.module)}@${digest(JSON.stringify(value.fields))}`;
  }
}

const itemOf = (type: TypeRef): TypeRef => (type.kind === "list" ? type.of : type);

function isObject(type: TypeRef): boolean {
  return type.kind === "list" ? isObject(type.of) : type.kind === "object" || type.kind === "interface";
}
