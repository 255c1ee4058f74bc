import { needsFirst } from "../config/index.ts";
import { UserError } from "../errors/index.ts";
import type { Target } from "./targets.ts";

/**
 * Orders targets so that each comes after its needs, otherwise as declared. Throws a `UserError` for unknown names and
 * cycles.
 */
export function orderTargets<T extends { target: Target }>(items: readonly T[]): T[] {
  const byName = new Map(items.map((item) => [item.target.name, item]));
  const { order, circle } = needsFirst([...byName.keys()], (name) => {
    const { needs, place } = byName.get(name)!.target;
    const unknown = needs.find((need) => !byName.has(need));
    if (unknown === undefined) return needs;
    throw new UserError("config", `"${name}" needs "${unknown}", which is not a target`, {
      place,
      hint: `targets are ${[...byName.keys()].join(", ")}`,
    });
  });
  if (circle !== undefined) {
    const { place } = byName.get(circle[0]!)!.target;
    throw new UserError("config", `targets need each other: ${circle.join(" -> ")}`, { place });
  }
  return order.map((name) => byName.get(name)!);
}

/** Returns the names and everything that needs them, directly or indirectly. */
export function withDependents(names: ReadonlySet<string>, targets: readonly Target[]): Set<string> {
  const dependents = new Map<string, string[]>();
  for (const target of targets) {
    for (const need of target.needs) dependents.set(need, [...(dependents.get(need) ?? []), target.name]);
  }
  return closure(names, (name) => dependents.get(name) ?? []);
}

/** Returns the names and everything that they need, directly or indirectly. */
export function withNeeds(names: ReadonlySet<string>, targets: readonly Target[]): Set<string> {
  const needs = new Map(targets.map((target) => [target.name, target.needs]));
  return closure(names, (name) => needs.get(name) ?? []);
}

function closure(start: ReadonlySet<string>, next: (name: string) => readonly string[]): Set<string> {
  const reached = new Set(start);
  for (const name of reached) for (const other of next(name)) reached.add(other);
  return reached;
}
