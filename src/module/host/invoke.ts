/** One call of a function body. */
import { registry } from "sdk:runtime";
import type { ReturnedValue } from "../types.ts";
import type { CallRequest, HostModule } from "./protocol.ts";
import { Values } from "./values.ts";

/** Everything that the files of a module export, one namespace per file. */
export type ModuleNamespaces = Record<string, unknown>[];

export class Invoker {
  private readonly module: HostModule;
  private readonly values: Values;

  constructor(module: HostModule, namespaces: ModuleNamespaces) {
    this.module = module;
    this.values = new Values(module, (name) => findClass(namespaces, name));
  }

  async invoke(request: CallRequest): Promise<ReturnedValue> {
    const objectName = request.object ?? this.module.mainObject;
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

  /** The state of a new object. Without a constructor it is empty: field initialisers do not run in an engine either. */
  private async construct(name: string, args: Record<string, unknown>): Promise<ReturnedValue> {
    const signature = this.module.objects[name]?.constructorArguments;
    if (signature === undefined) return { $object: name, fields: {} };
    const instance = new (this.values.classOf(name))(...this.values.argumentsOf(signature, args));
    return this.values.returned(instance, { kind: "object", name });
  }
}

function findClass(namespaces: ModuleNamespaces, name: string): (new (...args: unknown[]) => object) | undefined {
  const exported = namespaces.find((namespace) => namespace[name] !== undefined)?.[name];
  const reflect = Reflect as unknown as { getMetadata(key: string, target: object): { class_: unknown } | undefined };
  const found = exported ?? reflect.getMetadata(name, registry)?.class_;
  return typeof found === "function" ? (found as new (...args: unknown[]) => object) : undefined;
}
