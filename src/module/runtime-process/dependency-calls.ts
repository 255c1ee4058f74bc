/**
 * Answers a body's calls of its dependencies. Each dependency runs in a process of its own, with its own boundary.
 * Their objects stay in the CLI; a body gets a handle, which is valid until its call ends.
 */
import { randomUUID } from "node:crypto";
import { dependencyClient, servedNames } from "../dependency-client.ts";
import { exportedFiles, type ExportTo } from "../exports/exported-files.ts";
import { exportOwner } from "../exports/owner.ts";
import type { DependencyCall, DependencyValue } from "../runtime/protocol.ts";
import type { FunctionRuntime } from "./function-runtime.ts";
import { fieldName, memberName } from "../names.ts";
import { workspaceHandle, workspaceOwner, type WorkspaceReader } from "../workspace.ts";
import type { ArgumentInfo, Dependency, FunctionInfo, ModuleInfo, ReturnedValue, TypeRef } from "../types.ts";

/** Upper bound of objects, which keeps a body from filling the CLI's memory. */
const maxObjects = 100_000;

/** An object of the dependency, as its runtime returned it. */
type OwnValue = Extract<ReturnedValue, { $object: string }>;

type Loaded = Extract<Dependency, { module: ModuleInfo }>;

export interface DependencyCallsOptions {
  /** Returns the process of a module's bodies, which starts when first needed. */
  runtimeOf(module: ModuleInfo): FunctionRuntime;
  /** Provides values for arguments with `defaultPath` or `defaultAddress`, by name in code. */
  defaults?: FillDefaults;
}

/** The call whose body asks. */
export interface CallerCall {
  callId: string;
  signal: AbortSignal;
  /** Reads the workspace for functions that declare one; the asking body itself may have none. */
  workspace?: WorkspaceReader;
  exportTo?: ExportTo;
}

/** Returns ids for the arguments of a signature with `defaultPath` or `defaultAddress`, by name in code. */
export type FillDefaults = (
  module: ModuleInfo,
  signature: readonly ArgumentInfo[],
  call: CallerCall,
) => Promise<Record<string, unknown>>;

export class DependencyCalls {
  private readonly dependencies: ReadonlyMap<string, Dependency>;
  private readonly options: DependencyCallsOptions;
  private readonly objects = new Map<string, { dependency: Loaded; value: OwnValue; of: AbortSignal }>();

  constructor(module: ModuleInfo, options: DependencyCallsOptions) {
    this.dependencies = new Map(module.dependencies.map((dependency) => [dependency.name, dependency]));
    this.options = options;
  }

  /** Descriptions of the dependencies, which the runtime gets when it starts. */
  get clients(): ReturnType<typeof dependencyClient>[] {
    return [...this.dependencies.values()].map(dependencyClient);
  }

  has(name: string): boolean {
    return this.dependencies.has(name);
  }

  /** Answers one call. Throws what the function throws, or why there is no such call. */
  async call(request: DependencyCall, call: CallerCall, mayReadWorkspace: boolean): Promise<DependencyValue> {
    if (request.dependency === workspaceOwner) {
      if (!mayReadWorkspace || call.workspace === undefined || request.handle !== workspaceHandle)
        throw new Error("a Workspace is given to functions that declare one: take it as an argument");
      return call.workspace.read(request.function, request.args);
    }
    if (request.dependency === exportOwner) return exportFor(request, call);
    const dependency = this.dependencies.get(request.dependency);
    if (dependency === undefined || "refused" in dependency)
      throw new Error(`there is no module ${request.dependency} to call here`);
    const { module } = dependency;
    const on = request.handle === undefined ? undefined : this.objectOf(request.handle, dependency);
    if (on === undefined) {
      if (request.function !== "") throw new Error(`${request.function} is called on no object`);
      const info = module.objects[module.mainObject];
      const args = await this.arguments(info?.constructorArguments ?? [], request.args, dependency, call);
      return this.given(await this.options.runtimeOf(module).call({ function: "", args, ...call }), dependency, call);
    }
    const info = module.objects[on.$object];
    const field = Object.values(info?.fields ?? {}).find(
      (candidate) => candidate.exposed && isCalled(candidate, request.function),
    );
    if (field !== undefined)
      return this.given(on.fields[field.alias ?? field.name] ?? null, dependency, call, field.type);
    const fn = Object.values(info?.functions ?? {}).find((candidate) => isCalled(candidate, request.function));
    if (fn === undefined) throw new Error(`${dependency.name} has no function ${request.function}`);
    const args = await this.arguments(fn.arguments, request.args, dependency, call);
    const runtime = this.options.runtimeOf(module);
    const value = await runtime.call({ object: on.$object, function: fn.name, parent: on, args, ...call });
    return this.given(value, dependency, call, fn.returns);
  }

  /** Drops the objects that an ended call received: as in an engine, the next call starts with none. */
  forget({ signal }: CallerCall): void {
    for (const [handle, { of }] of this.objects) if (of === signal) this.objects.delete(handle);
  }

  private objectOf(handle: string, dependency: Loaded): OwnValue {
    const found = this.objects.get(handle);
    if (found?.dependency !== dependency) throw new Error(`no object of ${dependency.name} has this id`);
    return found.value;
  }

  private async arguments(
    signature: readonly ArgumentInfo[],
    given: Record<string, unknown>,
    dependency: Loaded,
    call: CallerCall,
  ): Promise<Record<string, unknown>> {
    const known = new Set(signature.map(({ name }) => fieldName(name)));
    const unknown = Object.keys(given).find((name) => !known.has(name));
    if (unknown !== undefined) throw new Error(`unknown argument "${unknown}"`);
    const missing = signature.filter(({ name }) => !isGiven(given[fieldName(name)]));
    const filled = await this.options.defaults?.(dependency.module, missing, call);
    const entries = signature.map((argument): [string, unknown] => {
      const value = given[fieldName(argument.name)];
      return [
        argument.name,
        isGiven(value) ? this.argument(value, argument.type, argument.name, dependency) : filled?.[argument.name],
      ];
    });
    return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
  }

  private argument(value: unknown, type: TypeRef, name: string, dependency: Loaded): unknown {
    const wrong = (): Error => new Error(`argument "${name}" is not what ${dependency.name} takes`);
    switch (type.kind) {
      case "list":
        if (!Array.isArray(value)) throw wrong();
        return value.map((item) => this.argument(item, type.of, name, dependency));
      case "object":
      case "interface": {
        if (typeof value !== "string") throw wrong();
        const { objects, interfaces } = dependency.module;
        const isOwn = Object.hasOwn(objects, type.name) || Object.hasOwn(interfaces, type.name);
        if (isOwn) return this.objectOf(value, dependency);
        return { $id: value, $type: type.name };
      }
      case "enum": {
        const info = dependency.module.enums[type.name];
        if (typeof value !== "string") throw wrong();
        if (info === undefined) return value;
        const member = Object.values(info.members).find((each) => memberName(each.name) === value);
        if (member === undefined) throw wrong();
        return member.name;
      }
      case "integer":
      case "float":
        if (typeof value !== "number") throw wrong();
        return value;
      case "boolean":
        if (typeof value !== "boolean") throw wrong();
        return value;
      case "string":
      case "scalar":
        if (typeof value !== "string") throw wrong();
        return value;
      default:
        throw wrong();
    }
  }

  /** Converts a function's value for the body that asked for it; objects become handles. */
  private given(value: ReturnedValue, dependency: Loaded, call: CallerCall, type?: TypeRef): DependencyValue {
    if (Array.isArray(value))
      return value.map((item) => this.given(item, dependency, call, type?.kind === "list" ? type.of : type));
    if (type?.kind === "enum" && typeof value === "string" && dependency.module.enums[type.name] !== undefined)
      return memberName(value);
    if (typeof value !== "object" || value === null || "$id" in value) return value;
    if (this.objects.size >= maxObjects) throw new Error(`more than ${maxObjects} objects of dependencies`);
    const handle = `dependency:${randomUUID()}`;
    this.objects.set(handle, { dependency, value, of: call.signal });
    return { $handle: handle, $type: servedNames(dependency)(value.$object) };
  }
}

function exportFor(
  { function: type, args: { id } }: DependencyCall,
  { exportTo, signal }: CallerCall,
): Promise<string> {
  if ((type !== "Directory" && type !== "File") || typeof id !== "string") throw new Error("no such export");
  if (exportTo === undefined) throw new Error("nothing can be exported here");
  return exportedFiles(type, id, exportTo, signal);
}

function isCalled({ name, alias }: Pick<FunctionInfo, "name" | "alias">, wanted: string): boolean {
  return fieldName(alias ?? name) === wanted;
}

const isGiven = (value: unknown): boolean => value !== undefined && value !== null;
