/** Checks a module's names before anything runs: those that an engine rejects, and those that its users would miss. */
import type { ClassDeclaration, Node } from "typescript";
import type { IntrospectedModule, Method, Property } from "sdk:introspector";
import { cliName, fieldName } from "../names.ts";
import type { InterfaceInfo, ObjectInfo } from "../types.ts";
import { placeOf } from "./place.ts";
import ts, { scanOptions } from "./typescript.ts";
import type { ScanProblem } from "./types.ts";

/** Returns the first name that an engine rejects, with the engine's wording. */
export function nameProblem({ objects, interfaces }: IntrospectedModule, root: string): ScanProblem | undefined {
  const owners = [
    ...Object.values(objects).map((object) => ({ kind: "object", name: object.name, members: membersOf(object) })),
    ...Object.values(interfaces).map((entry) => ({
      kind: "interface",
      name: entry.name,
      members: membersOf({ methods: entry.functions, properties: {} }),
    })),
  ];
  for (const { kind, name: owner, members } of owners) {
    for (const { what, name, node, member } of members) {
      const place = placeOf(node, root);
      if (fieldName(name) === "id")
        return {
          message: `cannot define ${what} with reserved name "id" on ${kind} "${owner}"`,
          place,
          hint: "every object of an engine already has an `id`; choose another name",
        };
      if (!isUsable(name))
        return { message: `the ${what} ${name} of ${owner} has no name in an engine`, place, hint: unusableHint };
      if ("type" in member && isWorkspace(member.type) && objects.Workspace === undefined) {
        return {
          message: `object "${owner}" field "${member.name}": Workspace cannot be stored as a field on a module object; declare it as a function argument instead`,
          place,
        };
      }
      const argument =
        "arguments" in member
          ? Object.values(member.arguments).find((candidate) => !isUsable(candidate.name))
          : undefined;
      if (argument !== undefined)
        return {
          message: `the argument ${argument.name} of ${name} has no name in an engine`,
          place,
          hint: unusableHint,
        };
    }
  }
  return undefined;
}

const unusableHint = "only ASCII letters and digits are kept of a name, and a letter comes first";
const isUsable = (name: string): boolean => /^[A-Za-z]/.test(fieldName(name));
const isWorkspace = (type: Property["type"]): boolean => type?.kind === "OBJECT_KIND" && type.name === "Workspace";

interface Member {
  what: "function" | "field";
  /** Name in code, or the alias that it is registered under. */
  name: string;
  node: Node;
  member: Method | Property;
}

function membersOf({
  methods,
  properties,
}: {
  methods: Record<string, Method>;
  properties: Record<string, Property>;
}): Member[] {
  const functions = Object.values(methods).map((member): Member => ({
    what: "function",
    name: member.alias ?? member.name,
    node: member.node,
    member,
  }));
  const fields = Object.values(properties).filter((property) => property.isExposed);
  return [
    ...functions,
    ...fields.map((member): Member => ({
      what: "field",
      name: member.alias ?? member.name,
      node: member.node,
      member,
    })),
  ];
}

/** Reports names that differ in code and are the same on the command line; the engine keeps one of them. */
export function collisions(objects: Record<string, ObjectInfo>, interfaces: Record<string, InterfaceInfo>): string[] {
  const owners: Pick<ObjectInfo, "name" | "functions" | "fields" | "place">[] = [
    ...Object.values(objects),
    ...Object.values(interfaces).map((entry) => ({ ...entry, fields: {} })),
  ];
  return owners.flatMap((owner) => {
    const functions = Object.values(owner.functions);
    const fields = Object.values(owner.fields).filter((field) => field.exposed);
    const at = owner.place === undefined ? "" : `${owner.place}: `;
    const told = (of: string, names: readonly string[]): string[] =>
      sameNames(names).map(
        (same) => `${at}${same.join(" and ")} of ${of} are both ${cliName(same[0] ?? "")} on the command line`,
      );
    return [
      ...told(
        owner.name,
        [...functions, ...fields].map((member) => member.alias ?? member.name),
      ),
      ...functions.flatMap((fn) =>
        told(
          `${owner.name}.${fn.name}`,
          fn.arguments.map((argument) => argument.name),
        ),
      ),
    ];
  });
}

function sameNames(names: readonly string[]): string[][] {
  const byName = new Map<string, string[]>();
  for (const name of names) byName.set(fieldName(name), [...(byName.get(fieldName(name)) ?? []), name]);
  return [...byName.values()].filter((same) => same.length > 1);
}

/** Returns the functions that a class inherits with `@func()`: an engine reads only the members of the class itself. */
export function inheritedFunctions(node: Node, root: string): NonNullable<ObjectInfo["inherited"]> {
  const checker = scanOptions.program?.getTypeChecker();
  if (checker === undefined || !ts.isClassDeclaration(node)) return [];
  const found: NonNullable<ObjectInfo["inherited"]> = [];
  const seen = new Set(node.members.map(({ name }) => name?.getText()));
  for (let base = baseOf(node); base !== undefined; base = baseOf(base)) {
    for (const member of base.members) {
      const name = member.name?.getText();
      if (name === undefined || seen.has(name) || !isFunction(member)) continue;
      seen.add(name);
      found.push({ name, from: base.name?.getText() ?? "a base class", place: placeOf(member, root) });
    }
  }
  return found;

  function baseOf(derived: ClassDeclaration): ClassDeclaration | undefined {
    const clause = derived.heritageClauses?.find(({ token }) => token === ts.SyntaxKind.ExtendsKeyword);
    const base = clause?.types[0];
    const declared =
      base === undefined
        ? undefined
        : checker?.getTypeAtLocation(base).symbol?.declarations?.find((candidate) => ts.isClassDeclaration(candidate));
    return declared?.getSourceFile().isDeclarationFile === false ? declared : undefined;
  }
}

function isFunction(member: Node): boolean {
  const decorators = ts.canHaveDecorators(member) ? (ts.getDecorators(member) ?? []) : [];
  return decorators.some((decorator) => decorator.expression.getText().startsWith("func"));
}
