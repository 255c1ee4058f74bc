/** Describes a dependency under its engine names, as the generated client of the dependent module has them. */
import type { ClientFunction, ClientParameter, DependencyClient } from "./runtime/protocol.ts";
import { fieldName, memberName, servedName } from "./names.ts";
import type { ArgumentInfo, Dependency, ModuleInfo, TypeRef } from "./types.ts";

export function dependencyClient(dependency: Dependency): DependencyClient {
  const { name } = dependency;
  if ("refused" in dependency)
    return { name, refused: dependency.refused, main: "", parameters: [], objects: {}, enums: {} };
  const { module } = dependency;
  const served = servedNames(dependency);
  const fn = (parameters: readonly ArgumentInfo[], returns: TypeRef): ClientFunction => ({
    parameters: parameters.map((argument) => clientParameter(argument, served)),
    returns: servedType(returns, served),
  });
  const objects: DependencyClient["objects"] = {};
  for (const info of [...Object.values(module.objects), ...Object.values(module.interfaces)]) {
    const members: Record<string, ClientFunction> = {};
    for (const field of Object.values(module.objects[info.name]?.fields ?? {}))
      if (field.exposed) members[fieldName(field.alias ?? field.name)] = fn([], field.type);
    for (const each of Object.values(info.functions))
      members[fieldName(each.alias ?? each.name)] = fn(each.arguments, each.returns);
    objects[served(info.name)] = members;
  }
  const enums = Object.values(module.enums).map((info): [string, Record<string, string>] => [
    served(info.name),
    Object.fromEntries(Object.values(info.members).map((member) => [memberName(member.name), member.value])),
  ]);
  const parameters = module.objects[module.mainObject]?.constructorArguments ?? [];
  return {
    name,
    main: served(module.mainObject),
    parameters: parameters.map((argument) => clientParameter(argument, served)),
    objects,
    enums: Object.fromEntries(enums),
  };
}

/** Returns a module and all its direct and indirect dependencies, each once. */
export function withDependencies(module: ModuleInfo): ModuleInfo[] {
  const found = new Map([[module.root, module]]);
  // Iterating a map includes entries that are added meanwhile.
  for (const each of found.values())
    for (const dependency of each.dependencies)
      if ("module" in dependency && !found.has(dependency.module.root))
        found.set(dependency.module.root, dependency.module);
  return [...found.values()];
}

/**
 * Returns a function from a type's name in the dependency's code to its name in the engine's schema. Core types keep
 * theirs.
 */
export function servedNames({ name, module }: { name: string; module: ModuleInfo }): (type: string) => string {
  return (type) => (isOwn(module, type) ? servedName(type, module.name, name) : type);
}

function isOwn({ objects, interfaces, enums }: ModuleInfo, type: string): boolean {
  return [objects, interfaces, enums].some((types) => Object.hasOwn(types, type));
}

function servedType(type: TypeRef, served: (name: string) => string): TypeRef {
  if (type.kind === "list") return { kind: "list", of: servedType(type.of, served) };
  return "name" in type ? { ...type, name: served(type.name) } : type;
}

function clientParameter(argument: ArgumentInfo, served: (name: string) => string): ClientParameter {
  const hasDefault = [argument.defaultValue, argument.defaultPath, argument.defaultAddress].some(
    (value) => value !== undefined,
  );
  return {
    name: fieldName(argument.name),
    optional: argument.optional || argument.nullable || argument.engineFills === true || hasDefault,
    type: servedType(argument.type, served),
  };
}
