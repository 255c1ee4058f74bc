/** Converts the introspector's objects to `ModuleInfo`, which is plain JSON and independent of the SDK. */
import type { Argument, IntrospectedModule, IntrospectedObject, Method, Property, TypeDef } from "sdk:introspector";
import type { ArgumentInfo, EnumInfo, FieldInfo, FunctionInfo, InterfaceInfo, ObjectInfo, TypeRef } from "../types.ts";
import { collisions, inheritedFunctions } from "./check-names.ts";
import { placeOf } from "./place.ts";
import type { ScannedModule } from "./types.ts";

export function convertModule(module: IntrospectedModule, root: string, warnings: string[]): ScannedModule {
  const enums = mapValues(module.enums, convertEnum);
  const objects = mapValues(module.objects, (object) => convertObject(object, root));
  for (const object of Object.values(objects)) {
    const functions = Object.values(object.functions).flatMap((fn) => fn.arguments);
    for (const argument of [...functions, ...(object.constructorArguments ?? [])]) {
      nameEnumDefault(argument, enums);
      const { type } = argument;
      if (type.kind === "object" && type.name === "Workspace" && objects.Workspace === undefined)
        argument.engineFills = true;
    }
  }
  const interfaces = mapValues(module.interfaces, (entry): InterfaceInfo => ({
    name: entry.name,
    description: entry.description,
    functions: mapValues(entry.functions, (fn) => convertFunction(fn, root)),
  }));
  const inherited = Object.values(objects).flatMap((object) =>
    (object.inherited ?? []).map(
      ({ name, from, place }) =>
        `${place}: ${name} of ${from} is no function of ${object.name}: an engine sees only what a class declares itself`,
    ),
  );
  return {
    description: module.description ?? "",
    objects,
    enums,
    interfaces,
    warnings: [...warnings, ...collisions(objects, interfaces), ...inherited],
  };
}

function convertObject(object: IntrospectedObject, root: string): ObjectInfo {
  const inherited = inheritedFunctions(object.node, root);
  const functions = Object.values(object.methods).map((method) => [method.name, convertFunction(method, root)]);
  return {
    name: object.name,
    description: object.description,
    deprecated: object.deprecated,
    kind: object.kind(),
    inherited: inherited.length === 0 ? undefined : inherited,
    constructorArguments: object._constructor && Object.values(object._constructor.arguments).map(convertArgument),
    functions: Object.fromEntries(functions) as Record<string, FunctionInfo>,
    fields: mapValues(object.properties, convertField, (property) => property.name),
    place: placeOf(object.node, root),
  };
}

function convertFunction(method: Method, root: string): FunctionInfo {
  return {
    name: method.name,
    alias: method.alias,
    description: method.description,
    deprecated: method.deprecated,
    arguments: Object.values(method.arguments).map(convertArgument),
    returns: convertType(method.returnType),
    cache: method.cache,
    isCheck: method.isCheck ?? false,
    isGenerate: method.isGenerator ?? false,
    isUp: method.isUp ?? false,
    place: placeOf(method.node, root),
  };
}

function convertArgument(argument: Argument): ArgumentInfo {
  return {
    name: argument.name,
    description: argument.description,
    deprecated: argument.deprecated,
    type: convertType(argument.type),
    optional: argument.isOptional,
    nullable: argument.isNullable,
    variadic: argument.isVariadic,
    defaultValue: argument.defaultValue,
    defaultPath: argument.defaultPath,
    defaultAddress: argument.defaultAddress,
    ignore: argument.ignore,
  };
}

/** A default is a member's value in code, and the member's name in GraphQL and on the command line. */
function nameEnumDefault(argument: ArgumentInfo, enums: Record<string, EnumInfo>): void {
  if (argument.type.kind !== "enum") return;
  const members = Object.values(enums[argument.type.name]?.members ?? {});
  argument.defaultValue =
    members.find((member) => member.value === argument.defaultValue)?.name ?? argument.defaultValue;
}

function convertField(property: Property): FieldInfo {
  return {
    name: property.name,
    description: property.description,
    deprecated: property.deprecated,
    type: convertType(property.type),
    exposed: property.isExposed,
    alias: property.alias,
  };
}

function convertEnum(entry: IntrospectedModule["enums"][string]): EnumInfo {
  return {
    name: entry.name,
    description: entry.description,
    members: mapValues(entry.values, ({ name, value, description, deprecated }) => ({
      name,
      value: String(value),
      description,
      deprecated,
    })),
  };
}

function convertType(type: TypeDef | undefined): TypeRef {
  switch (type?.kind) {
    case "STRING_KIND":
      return { kind: "string" };
    case "INTEGER_KIND":
      return { kind: "integer" };
    case "FLOAT_KIND":
      return { kind: "float" };
    case "BOOLEAN_KIND":
      return { kind: "boolean" };
    case "LIST_KIND":
      return { kind: "list", of: convertType(type.typeDef) };
    case "SCALAR_KIND":
      return { kind: "scalar", name: type.name ?? "" };
    case "ENUM_KIND":
      return { kind: "enum", name: type.name ?? "" };
    case "OBJECT_KIND":
      return { kind: "object", name: (type.name ?? "").replace(/_$/, "") };
    case "INTERFACE_KIND":
      return { kind: "interface", name: type.name ?? "" };
    default:
      return { kind: "void" };
  }
}

function mapValues<A, B>(
  record: Record<string, A>,
  convert: (value: A) => B,
  keyOf: (value: A, key: string) => string = (_, key) => key,
): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [keyOf(value, key), convert(value)]));
}
