/** Tree of operations to compare with another one. */
export interface SpanNode {
  name: string;
  durationMs: number;
  cached: boolean;
  /** Outcome or error; absent when the operation simply succeeded. */
  result?: string;
  children: readonly SpanNode[];
}

/**
 * Change of a node: `changed` has another result, or another name in the same place; `missed` was cached before and is
 * not now, and `hit` is the reverse; `slower` and `faster` differ beyond noise.
 */
export type Change = "same" | "added" | "removed" | "changed" | "missed" | "slower" | "faster" | "hit";

export interface DiffNode {
  name: string;
  change: Change;
  /** Earlier name, if it differs. */
  was?: string;
  before?: Pick<SpanNode, "durationMs" | "cached" | "result">;
  now?: Pick<SpanNode, "durationMs" | "cached" | "result">;
  children: DiffNode[];
}

/** Decides which nodes of two trees are the same. */
export interface DiffStrategy {
  readonly name: string;
  diff(before: SpanNode, now: SpanNode, noise?: Noise): DiffNode;
}

/** Difference of durations that counts as noise unless both limits are exceeded. */
export interface Noise {
  ms: number;
  ratio: number;
}

export const usualNoise: Noise = { ms: 250, ratio: 0.3 };

/** In the order of the newer tree; one side is undefined for an added or removed node. */
export type Pair = [before: SpanNode | undefined, now: SpanNode | undefined];

/** Creates a strategy from a function that pairs the children of two nodes. */
export function strategyOf(
  name: string,
  pair: (before: readonly SpanNode[], now: readonly SpanNode[]) => Pair[],
): DiffStrategy {
  const diffNodes = (before: SpanNode, now: SpanNode, noise: Noise): DiffNode => {
    const isLeaf = before.children.length + now.children.length === 0;
    const node: DiffNode = {
      name: now.name,
      change: changeOf(before, now, noise),
      before: factsOf(before),
      now: factsOf(now),
      children: isLeaf
        ? []
        : pair(before.children, now.children).map(([then, current]) =>
            then !== undefined && current !== undefined ? diffNodes(then, current, noise) : oneSided(then, current),
          ),
    };
    if (before.name !== now.name) node.was = before.name;
    return node;
  };
  return { name, diff: (before, now, noise = usualNoise) => diffNodes(before, now, noise) };
}

function oneSided(before: SpanNode | undefined, now: SpanNode | undefined): DiffNode {
  const node = (now ?? before)!;
  return {
    name: node.name,
    change: now === undefined ? "removed" : "added",
    ...(before === undefined ? {} : { before: factsOf(before) }),
    ...(now === undefined ? {} : { now: factsOf(now) }),
    children: node.children.map((child) =>
      now === undefined ? oneSided(child, undefined) : oneSided(undefined, child),
    ),
  };
}

function factsOf({ durationMs, cached, result }: SpanNode): NonNullable<DiffNode["now"]> {
  return result === undefined ? { durationMs, cached } : { durationMs, cached, result };
}

function changeOf(before: SpanNode, now: SpanNode, noise: Noise): Change {
  if (before.name !== now.name || before.result !== now.result) return "changed";
  if (before.cached !== now.cached) return now.cached ? "hit" : "missed";
  if (exceeds(now.durationMs, before.durationMs, noise)) return "slower";
  return exceeds(before.durationMs, now.durationMs, noise) ? "faster" : "same";
}

const exceeds = (longer: number, shorter: number, { ms, ratio }: Noise): boolean =>
  longer - shorter > ms && longer > shorter * (1 + ratio);

/** Reports whether a change makes `diff` exit with 1; a node that became faster or cached does not. */
export const isDifference = ({ change }: Pick<DiffNode, "change">): boolean =>
  change !== "same" && change !== "faster" && change !== "hit";

/** Counts the nodes of a tree by change. */
export function countChanges(root: DiffNode, counts = new Map<Change, number>()): Map<Change, number> {
  counts.set(root.change, (counts.get(root.change) ?? 0) + 1);
  for (const child of root.children) countChanges(child, counts);
  return counts;
}
