/**
 * Converts values on their way into a function body and out of it by the rules of the SDK's own entry point
 * (`module/entrypoint/load.js` of 0.21): ids become client objects, enum members become their values, and back.
 */
import * as sdk from "sdk:runtime";
import type { ArgumentInfo, ReturnedValue, TypeRef } from "../types.ts";
import type { RuntimeModule } from "./protocol.ts";

/** Finds a class of the module by name; undefined when no file exports it and no decorator registered it. */
export type FindClass = (name: string) => (new (...args: unknown[]) => object) | undefined;

export class Values {
  private readonly module: RuntimeModule;
  private readonly findClass: FindClass;

  constructor(module: RuntimeModule, findClass: FindClass) {
    this.module = module;
    this.findClass = findClass;
  }

  /** Returns arguments in the order of the signature; missing ones are left to the defaults in the code. */
  argumentsOf(signature: readonly ArgumentInfo[], given: Record<string, unknown>): unknown[] {
    return signature.flatMap((argument): unknown[] => {
      const value = this.load(given[argument.name], argument.type);
      if (argument.variadic) return Array.isArray(value) ? value : [];
      return [value === undefined && argument.nullable && !argument.defaultValue ? null : value];
    });
  }

  load(value: unknown, type: TypeRef): unknown {
    if (value === undefined || value === null) return value;
    switch (type.kind) {
      case "list":
        return (value as unknown[]).map((item) => this.load(item, type.of));
      case "object":
      case "interface":
        return isOwnObject(value) ? this.instance(value.$object, value.fields) : clientObject(idOf(value), type.name);
      case "enum":
        return this.enumValue(type.name, value as string);
      default:
        return value;
    }
  }

  /**
   * Rebuilds an object as the engine does for each call: prototype and stored state, without running the constructor.
   */
  instance(name: string, fields: Record<string, unknown>): object {
    const info = this.module.objects[name];
    if (info === undefined) throw new Error(`could not find object ${name}`);
    const state: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(fields)) {
      const field = Object.values(info.fields).find((candidate) => (candidate.alias ?? candidate.name) === key);
      if (field === undefined) throw new Error(`could not find parent property ${key}`);
      state[field.name] = this.load(value, field.type);
    }
    if (info.kind === "object") return state;
    return Object.assign(Object.create(this.classOf(name).prototype as object) as object, state);
  }

  classOf(name: string): new (...args: unknown[]) => object {
    const found = this.findClass(name);
    if (found === undefined) throw new Error(`class ${name} is not exported by the module`);
    return found;
  }

  async returned(result: unknown, type: TypeRef): Promise<ReturnedValue> {
    if (result === undefined || result === null) return null;
    if (typeof result === "function" || typeof result === "symbol" || typeof result === "bigint") {
      throw new Error(`a ${typeof result} can't be returned from a function of a module`);
    }
    if (hasId(result)) {
      const $type = type.kind === "object" ? type.name : result.constructor.name.replace(/_$/, "");
      return { $id: await result.id(), $type };
    }
    if (Array.isArray(result)) {
      const itemType = type.kind === "list" ? type.of : type;
      return Promise.all(result.map((item) => this.returned(item, itemType)));
    }
    if (type.kind === "object" || type.kind === "interface") return this.returnedObject(result, type.name);
    if (type.kind === "enum") return this.enumMember(type.name, result);
    if (type.kind === "integer" && typeof result === "number" && !Number.isInteger(result)) {
      throw new Error(
        `cannot return float '${result}' if return type is 'number' (integer), please use 'float' as return type instead`,
      );
    }
    return result as string | number | boolean;
  }

  private async returnedObject(result: object, declared: string): Promise<ReturnedValue> {
    // A value of an interface type is an instance of one of the module's classes, so its own class name counts.
    const name = this.module.objects[declared] === undefined ? result.constructor.name : declared;
    const info = this.module.objects[name];
    if (info === undefined) {
      const isInterface = this.module.interfaces[declared] !== undefined;
      throw new Error(
        isInterface
          ? `${name} is in no signature of the module, so it can't be given as ${declared}`
          : `could not find object ${declared}`,
      );
    }
    const fields: Record<string, ReturnedValue> = {};
    for (const [key, value] of Object.entries(result)) {
      const field = info.fields[key];
      if (field === undefined) throw new Error(`could not find result property ${key}`);
      fields[field.alias ?? field.name] = await this.returned(value, field.type);
    }
    return { $object: name, fields };
  }

  private enumValue(name: string, member: string): unknown {
    const info = this.module.enums[name];
    if (info === undefined) return member;
    const found = info.members[member];
    if (found === undefined) throw new Error(`Enum ${name} does not have member ${member}`);
    return found.value;
  }

  private enumMember(name: string, value: unknown): string {
    const members = Object.values(this.module.enums[name]?.members ?? {});
    return members.find((member) => member.value === value)?.name ?? String(value);
  }
}

function clientObject(id: string, name: string): unknown {
  const context = new sdk.Context([], sdk.globalConnection).selectNode(id, name);
  // Some names collide with JavaScript's own, and have a trailing underscore in the generated client.
  const generated = sdk.clientGen as unknown as Record<string, (new (context: unknown) => object) | undefined>;
  const found = generated[name] ?? generated[`${name}_`];
  if (found === undefined) throw new Error(`Generated client class not found for core type ${name}`);
  return new found(context);
}

function idOf(value: unknown): string {
  if (typeof value === "object" && value !== null && "$id" in value) return String(value.$id);
  return String(value);
}

function isOwnObject(value: unknown): value is { $object: string; fields: Record<string, unknown> } {
  return typeof value === "object" && value !== null && "$object" in value;
}

function hasId(value: unknown): value is { id(): Promise<string>; constructor: { name: string } } {
  return typeof value === "object" && value !== null && "id" in value && typeof value.id === "function";
}
