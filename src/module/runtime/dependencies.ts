/**
 * `dag.other()` and the types of the modules that this one depends on, as the client has them that an engine generates: a
 * chain asks nothing until its end is wanted. The part of a chain that is the other module's is asked of the parent, step
 * by step; where it comes to an object of the core API, the rest is a query of the session like any other.
 */
import { clientGen, Context, type QueryStep } from "sdk:runtime";
import type { ClientFunction, ClientParameter, DependencyCall, DependencyClient, DependencyValue } from "./protocol.ts";
import type { TypeRef } from "../types.ts";

type Ask = (request: DependencyCall) => Promise<DependencyValue>;

/** What a chain of the client is made of. */
interface Chained {
  _ctx: Context;
}

type ClientClass = new (context: Context) => Chained;

/** Where the bundle finds the types of dependencies (bundle.ts). */
const typesKey = Symbol.for("fastloop.dependencies");

/** Has to be called before the module is loaded. */
export function offerDependencies(dependencies: readonly DependencyClient[], ask: Ask): void {
  if (dependencies.length === 0) return;
  const chains = new Chains(dependencies, ask);
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

/** Chains of the client that are another module's, or are given one. */
class Chains {
  private readonly roots: ReadonlyMap<string, string>;
  private readonly types = new Map<string, string>();
  private readonly ask: Ask;

  constructor(dependencies: readonly DependencyClient[], ask: Ask) {
    const usable = dependencies.filter(({ refused }) => refused === undefined);
    this.roots = new Map(usable.map(({ name }) => [name, name]));
    for (const { name, objects } of usable) for (const type of Object.keys(objects)) this.types.set(type, name);
    this.ask = ask;
  }

  concern(steps: readonly QueryStep[]): boolean {
    return this.starts(steps) !== undefined || steps.some(({ args }) => this.inArguments(args));
  }

  /** `query` runs what is the session's. */
  async run(steps: readonly QueryStep[], query: (steps: QueryStep[]) => Promise<unknown>): Promise<unknown> {
    const { value, rest } = await this.walk(steps);
    if (value === undefined) return query(rest);
    return valueOf(value);
  }

  /** The dependency that a chain begins with. */
  private starts(steps: readonly QueryStep[]): { dependency: string; handle?: string } | undefined {
    const [first] = steps;
    if (first === undefined) return undefined;
    if (first.inlineType === undefined) {
      const dependency = this.roots.get(first.operation);
      return dependency === undefined ? undefined : { dependency };
    }
    const dependency = this.types.get(first.inlineType);
    return dependency === undefined ? undefined : { dependency, handle: String(first.args?.id) };
  }

  private inArguments(args: Record<string, unknown> | undefined): boolean {
    return Object.values(args ?? {}).some((value) =>
      (Array.isArray(value) ? value : [value]).some((item) => isChained(item) && this.concern(item._ctx._queryTree)),
    );
  }

  /** Goes as far as the other module's objects do; `value` undefined: what is left is a query. */
  private async walk(
    steps: readonly QueryStep[],
  ): Promise<{ value?: DependencyValue | { id: string }[]; rest: QueryStep[] }> {
    const start = this.starts(steps);
    if (start === undefined) return { rest: await Promise.all(steps.map((step) => this.withArguments(step))) };
    const { dependency } = start;
    let value: DependencyValue =
      start.handle === undefined
        ? await this.ask({ dependency, function: "", args: await this.resolved(steps[0]!) })
        : { $handle: start.handle, $type: steps[0]!.inlineType! };
    for (const [index, step] of steps.entries()) {
      if (index === 0) continue;
      if (isHandle(value)) {
        if (step.operation === "id") return { value: value.$handle, rest: [] };
        const args = await this.resolved(step);
        value = await this.ask({ dependency, handle: value.$handle, function: step.operation, args });
      } else if (isCore(value)) {
        const node = { operation: "node", args: { id: value.$id }, inlineType: value.$type };
        const rest = await Promise.all(steps.slice(index).map((each) => this.withArguments(each)));
        return { rest: [node, ...rest] };
      } else if (Array.isArray(value) && step.operation === "id") {
        return { value: value.map((item) => ({ id: String(valueOf(item)) })), rest: [] };
      } else {
        return { value, rest: [] };
      }
    }
    return { value, rest: [] };
  }

  /** A step's arguments for another module: chains become ids. */
  private async resolved({ args = {} }: QueryStep): Promise<Record<string, unknown>> {
    const entries = Object.entries(args).map(async ([name, value]): Promise<[string, unknown]> => [
      name,
      Array.isArray(value) ? await Promise.all(value.map((item) => idOf(item))) : await idOf(value),
    ]);
    return Object.fromEntries(await Promise.all(entries));
  }

  /** A step of the session: chains of other modules among its arguments become objects by id. */
  private async withArguments(step: QueryStep): Promise<QueryStep> {
    if (!this.inArguments(step.args)) return step;
    const own = async (value: unknown): Promise<unknown> => {
      if (!isChained(value) || !this.concern(value._ctx._queryTree)) return value;
      const { value: found, rest } = await this.walk(value._ctx._queryTree);
      if (found === undefined) return { _ctx: { _queryTree: rest } };
      return valueOf(found);
    };
    const entries = Object.entries(step.args ?? {}).map(async ([name, value]): Promise<[string, unknown]> => [
      name,
      Array.isArray(value) ? await Promise.all(value.map(own)) : await own(value),
    ]);
    return { ...step, args: Object.fromEntries(await Promise.all(entries)) };
  }
}

function isChained(value: unknown): value is Chained {
  return typeof value === "object" && value !== null && "_ctx" in value;
}

async function idOf(value: unknown): Promise<unknown> {
  if (!isChained(value)) return value;
  return value._ctx.select("id").execute<string>();
}

function isHandle(value: unknown): value is { $handle: string; $type: string } {
  return typeof value === "object" && value !== null && "$handle" in value;
}

function isCore(value: unknown): value is { $id: string; $type: string } {
  return typeof value === "object" && value !== null && "$id" in value;
}

/** What a chain's end is to the client: objects are their ids. */
function valueOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(valueOf);
  return isHandle(value) ? value.$handle : isCore(value) ? value.$id : value;
}
