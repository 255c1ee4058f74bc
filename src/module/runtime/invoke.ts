/** Runs one call of a function body. */
import { registry } from "sdk:runtime";
import { fieldName } from "../names.ts";
import type { FunctionInfo, ReturnedValue } from "../types.ts";
import type { CallRequest, RuntimeModule } from "./protocol.ts";
import { Values } from "./values.ts";

/** Exports of a module's files, one namespace for each file. */
export type ModuleNamespaces = Record<string, unknown>[];

export class Invoker {
  private readonly module: RuntimeModule;
  private readonly values: Values;

  constructor(module: RuntimeModule, namespaces: ModuleNamespaces) {
    this.module = module;
    this.values = new Values(module, (name) => findClass(namespaces, name));
  }

  async invoke(request: CallRequest): Promise<ReturnedValue> {
    const objectName = request.object ?? this.module.mainObject;
    const throughInterface = this.module.interfaces[objectName]?.functions[request.function];
    if (throughInterface !== undefined) return this.implemented(throughInterface, request);
    const info = this.module.objects[objectName];
    if (info === undefined) throw new Error(`could not find object ${objectName}`);
    if (request.function === "") return this.construct(objectName, request.args);

    const signature = info.functions[request.function];
    if (signature === undefined) throw new Error(`could not find method ${request.function}`);
    const parent = request.parent ?? (await this.construct(objectName, request.constructorArgs ?? {}));
    const instance = this.values.load(parent, { kind: "object", name: objectName }) as Record<string, unknown>;
    const body = instance[request.function];
    if (typeof body !== "function") throw new Error(`Method ${request.function} not found`);
    const result: unknown = await body.apply(instance, this.values.argumentsOf(signature.arguments, request.args));
    return this.values.returned(result, signature.returns);
  }

  /**
   * Calls an interface's function on the object behind it: the function or field with the same name in the engine's
   * schema.
   */
  private async implemented(
    { name, arguments: parameters, returns }: FunctionInfo,
    request: CallRequest,
  ): Promise<ReturnedValue> {
    const { parent } = request;
    if (typeof parent !== "object" || parent === null || Array.isArray(parent))
      throw new Error(`${name} is called on no object`);
    if ("$id" in parent) return this.ofCoreObject(parent, { name, arguments: parameters, returns }, request.args);
    const info = this.module.objects[parent.$object];
    const isIt = (member: { name: string; alias?: string }): boolean =>
      fieldName(member.alias ?? member.name) === fieldName(name);
    const field = Object.values(info?.fields ?? {}).find((candidate) => candidate.exposed && isIt(candidate));
    if (field !== undefined) return parent.fields[field.alias ?? field.name] ?? null;
    const fn = Object.values(info?.functions ?? {}).find(isIt);
    if (fn === undefined) throw new Error(`${parent.$object} has no function ${name}, which its interface promises`);
    const given = Object.entries(request.args).map(([argument, value]): [string, unknown] => {
      const own = fn.arguments.find((candidate) => fieldName(candidate.name) === fieldName(argument));
      return [own?.name ?? argument, value];
    });
    return this.invoke({ ...request, object: parent.$object, function: fn.name, args: Object.fromEntries(given) });
  }

  private async ofCoreObject(
    parent: { $id: string; $type: string },
    { name, arguments: parameters, returns }: Pick<FunctionInfo, "name" | "arguments" | "returns">,
    args: Record<string, unknown>,
  ): Promise<ReturnedValue> {
    const object = this.values.load(parent, { kind: "object", name: parent.$type }) as Record<string, unknown>;
    const method = object[fieldName(name)];
    if (typeof method !== "function")
      throw new Error(`${parent.$type} has no function ${name}, which its interface promises`);
    return this.values.returned(await method.apply(object, this.values.argumentsOf(parameters, args)), returns);
  }

  /** Creates an object's state. Without a constructor it is empty, as an engine runs no field initializers either. */
  private async construct(name: string, args: Record<string, unknown>): Promise<ReturnedValue> {
    const signature = this.module.objects[name]?.constructorArguments;
    if (signature === undefined) return { $object: name, fields: {} };
    // A constructor may return a promise of the object; an engine awaits it too.
    const made: unknown = new (this.values.classOf(name))(...this.values.argumentsOf(signature, args));
    return this.values.returned(await made, { kind: "object", name });
  }
}

function findClass(namespaces: ModuleNamespaces, name: string): (new (...args: unknown[]) => object) | undefined {
  const exported = namespaces.find((namespace) => namespace[name] !== undefined)?.[name];
  const reflect = Reflect as unknown as { getMetadata(key: string, target: object): { class_: unknown } | undefined };
  const found = exported ?? reflect.getMetadata(name, registry)?.class_;
  return typeof found === "function" ? (found as new (...args: unknown[]) => object) : undefined;
}
