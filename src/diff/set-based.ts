import { strategyOf, type Pair, type SpanNode } from "./tree.ts";

/**
 * Pairs children with the same name, first with first and so on, regardless of position, because parallel operations
 * come in any order. This is the default.
 */
export const setBased = strategyOf("set", pairByName);

/** Pairs nodes by name; unpaired nodes of `before` come last. */
export function pairByName(before: readonly SpanNode[], now: readonly SpanNode[]): Pair[] {
  const open = new Map<string, SpanNode[]>();
  for (const node of before) {
    const same = open.get(node.name);
    if (same === undefined) open.set(node.name, [node]);
    else same.push(node);
  }
  for (const list of open.values()) list.reverse();
  const pairs = now.map((node): Pair => [open.get(node.name)?.pop(), node]);
  const gone = new Set([...open.values()].flat());
  return [...pairs, ...before.filter((node) => gone.has(node)).map((node): Pair => [node, undefined])];
}
