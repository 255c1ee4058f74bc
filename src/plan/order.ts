import { UserError } from "../errors/index.ts";
import type { Target } from "./targets.ts";

/**
 * Orders targets so that each comes after its needs, otherwise as declared. Throws a `UserError` for unknown names and
 * cycles.
 */
export function orderTargets<T extends { target: Target }>(items: readonly T[]): T[] {
  const byName = new Map(items.map((item) => [item.target.name, item]));
  const done = new Set<string>();
  const ordered: T[] = [];
  const visit = (item: T, trail: string[]): void => {
    const { name, needs, place } = item.target;
    if (done.has(name)) return;
    if (trail.includes(name)) {
      throw new UserError(
        "config",
        `targets need each other: ${[...trail.slice(trail.indexOf(name)), name].join(" -> ")}`,
        { place },
      );
    }
    for (const need of needs) {
      const needed = byName.get(need);
      if (needed === undefined) {
        throw new UserError("config", `"${name}" needs "${need}", which is no target`, {
          place,
          hint: `targets are ${[...byName.keys()].join(", ")}`,
        });
      }
      visit(needed, [...trail, name]);
    }
    done.add(name);
    ordered.push(item);
  };
  for (const item of items) visit(item, []);
  return ordered;
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
