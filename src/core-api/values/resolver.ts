import type { ApiObject } from "./ids.ts";
import type { Call } from "../request/call.ts";

/** How a field gets its value. Arguments arrive with the schema's defaults filled in. */
export type Resolver<Parent> = (parent: Parent, args: never, call: Call) => unknown;

/** One core type: its part of the schema in SDL and its fields' resolvers. */
export interface TypeModule {
  readonly name: string;
  readonly sdl: string;
  readonly resolvers: Readonly<Record<string, Resolver<never>>>;
}

/** Checks the resolvers against the type of their parent. */
export function typeModule<Parent>(name: string, sdl: string, resolvers: Record<string, Resolver<Parent>>): TypeModule {
  return { name, sdl, resolvers };
}

/** The object behind an argument of type ID. */
export function load<T extends ApiObject>(call: Call, id: string, type: T["type"]): T {
  return call.session.ids.load(id, type) as T;
}

export function loadAll<T extends ApiObject>(call: Call, ids: readonly string[], type: T["type"]): T[] {
  return ids.map((id) => load<T>(call, id, type));
}

/** The resolver of `id`. */
export function id(object: ApiObject, _args: unknown, call: Call): string {
  return call.session.ids.idOf(object);
}
