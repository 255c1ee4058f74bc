import { strategyOf, type Pair, type SpanNode } from "./tree.ts";

/**
 * Pairs children with the same name, first with first and so on, regardless of position, because parallel operations
 * come in any order. This is the default.
 */
export const setBased = strategyOf("set", pairByName);

/** Pairs nodes by name; unpaired nodes of `before` come last. */
export function pairByName(before: readonly SpanNode[], now: readonly SpanNode[]): Pair[] {
  // The first open node of each name, and after each the next of its name: lists of lists would be garbage to collect.
  const open = new Map<string, number>();
  const next = new Int32Array(before.length);
  for (let index = before.length - 1; index >= 0; index--) {
    const { name } = before[index]!;
    next[index] = open.get(name) ?? none;
    open.set(name, index);
  }
  const isPaired = new Uint8Array(before.length);
  const pairs = now.map((node): Pair => {
    const index = open.get(node.name) ?? none;
    if (index === none) return [undefined, node];
    open.set(node.name, next[index]!);
    isPaired[index] = 1;
    return [before[index], node];
  });
  before.forEach((node, index) => {
    if (isPaired[index] === 0) pairs.push([node, undefined]);
  });
  return pairs;
}

const none = -1;
