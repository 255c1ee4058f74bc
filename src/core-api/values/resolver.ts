import type { ApiObject } from "./ids.ts";
import type { Call } from "../request/call.ts";

/** Computes the value of a field. Arguments include the schema's defaults. */
export type Resolver<Parent> = (parent: Parent, args: never, call: Call) => unknown;

/** One core type: its SDL and the resolvers of its fields. */
export interface TypeModule {
  readonly name: string;
  readonly sdl: string;
  readonly resolvers: Readonly<Record<string, Resolver<never>>>;
}

/** Creates a type module whose resolvers are type-checked against their parent. */
export function typeModule<Parent>(name: string, sdl: string, resolvers: Record<string, Resolver<Parent>>): TypeModule {
  return { name, sdl, resolvers };
}

/** Returns the object behind an argument of type ID. Throws an `ApiError` when it is unknown or has another type. */
export function load<T extends ApiObject>(call: Call, id: string, type: T["type"]): T {
  return call.session.ids.load(id, type) as T;
}

export function loadAll<T extends ApiObject>(call: Call, ids: readonly string[], type: T["type"]): T[] {
  return ids.map((id) => load<T>(call, id, type));
}

/** Resolver for the `id` field. */
export function id(object: ApiObject, _args: unknown, call: Call): string {
  return call.session.ids.idOf(object);
}
