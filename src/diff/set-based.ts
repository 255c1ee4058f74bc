import { strategyOf, type Pair, type SpanNode } from "./tree.ts";

/**
 * Children with the same name are the same, the first with the first and so on, wherever they stand: operations that run
 * in parallel come in any order. The default.
 */
export const setBased = strategyOf("set", pairByName);

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
