/**
 * `dag.other()` and the types of the modules that this one depends on, as the client has them that an engine generates: a
 * chain asks nothing until its end is wanted. The part of a chain that is the other module's is asked of the parent, step
 * by step; where it comes to an object of the core API, the rest is a query of the session like any other.
 */
import { clientGen, Context } from "sdk:runtime";
import { Chains, type Ask, type Chained } from "./chains.ts";
import type { ClientFunction, ClientParameter, DependencyClient } from "./protocol.ts";
import type { TypeRef } from "../types.ts";

type ClientClass = new (context: Context) => Chained;

/** Where the bundle finds the types of dependencies (bundle.ts). */
const typesKey = Symbol.for("fastloop.dependencies");

/** Has to be called before the module is loaded. `takesWorkspace`: a function of it is given the workspace, which the parent reads. */
export function offerDependencies(dependencies: readonly DependencyClient[], takesWorkspace: boolean, ask: Ask): void {
  if (dependencies.length === 0 && !takesWorkspace) return;
  const chains = new Chains(dependencies, takesWorkspace, ask);
  const types: Record<string, unknown> = {};
  for (const dependency of dependencies) Object.assign(types, new Client(dependency).offer());
  Object.assign(globalThis, { [typesKey]: types });
  const execute = Context.prototype.execute;
  Context.prototype.execute = function <T>(this: Context): Promise<T> {
    return chains.concern(this._queryTree)
      ? (chains.run(this._queryTree, (steps) => execute.call(new Context(steps, this._connection))) as Promise<T>)
      : execute.call<Context, [], Promise<T>>(this);
  };
}

/** The classes and enums of one module. */
class Client {
  private readonly dependency: DependencyClient;
  private readonly classes: Record<string, ClientClass> = {};
  private readonly enums: Record<string, Record<string, string>>;

  constructor(dependency: DependencyClient) {
    this.dependency = dependency;
    this.enums = Object.fromEntries(
      Object.entries(dependency.enums).map(([name, members]) => [
        name,
        Object.fromEntries(Object.entries(members).map(([member, value]) => [memberInCode(member), value])),
      ]),
    );
  }

  /** Puts `dag.name()` into the client; the types are for the module's imports. */
  offer(): Record<string, unknown> {
    const { name, objects, refused, main, parameters } = this.dependency;
    const client = clientGen.Client.prototype as unknown as Record<string, unknown>;
    if (refused !== undefined) {
      client[name] ??= () => {
        throw new Error(`dag.${name}(): ${refused}; with a Dagger engine, run this with --via module`);
      };
      return {};
    }
    for (const [type, members] of Object.entries(objects)) this.classes[type] = this.classOf(type, members);
    const construct = this.method(name, { parameters, returns: { kind: "object", name: main } });
    client[name] = construct;
    return { ...this.classes, ...this.enums };
  }

  private classOf(type: string, members: Record<string, ClientFunction>): ClientClass {
    const methods = Object.entries(members).map(([name, fn]): [string, unknown] => [name, this.method(name, fn)]);
    // oxlint-disable-next-line typescript/no-extraneous-class
    const made = {
      [type]: class implements Chained {
        readonly _ctx: Context;
        constructor(context: Context) {
          this._ctx = context;
        }
      },
    }[type]!;
    const common = {
      id(this: Chained) {
        return this._ctx.select("id").execute<string>();
      },
      with(this: Chained, change: (self: unknown) => unknown) {
        return change(this);
      },
    };
    Object.assign(made.prototype, common, Object.fromEntries(methods));
    return made;
  }

  /** Required arguments by position, the others by name, as in the generated client. */
  private method(
    name: string,
    { parameters, returns }: ClientFunction,
  ): (this: Chained, ...given: unknown[]) => unknown {
    const required = parameters.filter(({ optional }) => !optional);
    const select = (on: Chained, given: readonly unknown[]): unknown => {
      const options = (given[required.length] ?? {}) as Record<string, unknown>;
      const named = Object.fromEntries(required.map((parameter, index) => [parameter.name, given[index]]));
      return this.result(on._ctx.select(name, this.arguments({ ...options, ...named }, parameters)), returns);
    };
    return function (this: Chained, ...given: unknown[]) {
      return select(this, given);
    };
  }

  private arguments(given: Record<string, unknown>, parameters: readonly ClientParameter[]): Record<string, unknown> {
    const types = new Map(parameters.map(({ name, type }) => [name, type]));
    return Object.fromEntries(
      Object.entries(given).map(([name, value]) => [
        name,
        this.member(value, types.get(name)?.kind === "list" ? itemOf(types.get(name)) : types.get(name)),
      ]),
    );
  }

  /** An enum's value in code -> its member's name. */
  private member(value: unknown, type: TypeRef | undefined): unknown {
    if (Array.isArray(value)) return value.map((item) => this.member(item, type));
    if (type?.kind !== "enum") return value;
    const members = this.dependency.enums[type.name] ?? {};
    return Object.entries(members).find(([, own]) => own === value)?.[0] ?? value;
  }

  private result(context: Context, type: TypeRef): unknown {
    if (type.kind === "object" || type.kind === "interface") return new (this.classNamed(type.name))(context);
    if (type.kind !== "list") return context.execute<unknown>().then((value) => this.value(value, type));
    const item = itemOf(type);
    if (item.kind !== "object" && item.kind !== "interface")
      return context.execute<unknown>().then((value) => this.value(value, type));
    const made = this.classNamed(item.name);
    return context
      .select("id")
      .execute<{ id: string }[]>()
      .then((found) => found.map(({ id }) => new made(context.copy().selectNode(id, item.name))));
  }

  private value(value: unknown, type: TypeRef): unknown {
    if (type.kind === "void") return undefined;
    if (Array.isArray(value)) return value.map((item) => this.value(item, itemOf(type)));
    return type.kind === "enum" ? (this.dependency.enums[type.name]?.[String(value)] ?? value) : value;
  }

  private classNamed(name: string): ClientClass {
    const generated = clientGen as unknown as Record<string, ClientClass | undefined>;
    const found = this.classes[name] ?? generated[name] ?? generated[`${name}_`];
    if (found === undefined) throw new Error(`there is no type ${name}`);
    return found;
  }
}

/** `VERY_HIGH` -> `VeryHigh`, as generated clients write members. */
function memberInCode(member: string): string {
  return member
    .toLowerCase()
    .split("_")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");
}

function itemOf(type: TypeRef | undefined): TypeRef {
  return type?.kind === "list" ? type.of : (type ?? { kind: "void" });
}
