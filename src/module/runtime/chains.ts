/**
 * Query chains that the parent has to answer in part: calls of other modules, and reads of the workspace. That part is
 * requested step by step; from the first core API object on, the rest is an ordinary query of the session.
 */
import type { Context, QueryStep } from "sdk:runtime";
import { workspaceOwner } from "../workspace.ts";
import type { DependencyCall, DependencyClient, DependencyValue } from "./protocol.ts";

export type Ask = (request: DependencyCall) => Promise<DependencyValue>;

/** An object of the client, which holds a chain. */
export interface Chained {
  _ctx: Context;
}

/** Chains of the client that belong to another module or the workspace, or take an object of theirs as an argument. */
export class Chains {
  private readonly roots: ReadonlyMap<string, string>;
  private readonly types = new Map<string, string>();
  private readonly ask: Ask;

  constructor(dependencies: readonly DependencyClient[], takesWorkspace: boolean, ask: Ask) {
    const usable = dependencies.filter(({ refused }) => refused === undefined);
    this.roots = new Map(usable.map(({ name }) => [name, name]));
    for (const { name, objects } of usable) for (const type of Object.keys(objects)) this.types.set(type, name);
    if (takesWorkspace) this.types.set("Workspace", workspaceOwner);
    this.ask = ask;
  }

  concern(steps: readonly QueryStep[]): boolean {
    return this.starts(steps) !== undefined || steps.some(({ args }) => this.inArguments(args));
  }

  /** Runs a chain; `query` runs the part that belongs to the session. */
  async run(steps: readonly QueryStep[], query: (steps: QueryStep[]) => Promise<unknown>): Promise<unknown> {
    const { value, rest } = await this.walk(steps);
    if (value === undefined) return query(rest);
    return valueOf(value);
  }

  /** Returns the dependency that a chain begins with, if any. */
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

  /**
   * Follows a chain as far as the other module's objects go. If `value` is undefined, `rest` is a query for the
   * session.
   */
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

  /** Resolves a step's arguments for another module: chains become ids. */
  private async resolved({ args = {} }: QueryStep): Promise<Record<string, unknown>> {
    const entries = Object.entries(args).map(async ([name, value]): Promise<[string, unknown]> => [
      name,
      Array.isArray(value) ? await Promise.all(value.map((item) => idOf(item))) : await idOf(value),
    ]);
    return Object.fromEntries(await Promise.all(entries));
  }

  /** Resolves a step's arguments for the session: chains of other modules become objects by id. */
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

/** Converts the end of a chain for the client: objects become their ids. */
function valueOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(valueOf);
  return isHandle(value) ? value.$handle : isCore(value) ? value.$id : value;
}
