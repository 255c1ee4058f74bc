/** A tree of operations, and what is different between two of them. */
export interface SpanNode {
  name: string;
  durationMs: number;
  cached: boolean;
  /** What came of it where that is not simply done: an outcome, an error. */
  result?: string;
  children: readonly SpanNode[];
}

/**
 * What is said of a node: it is new, gone, came to another result, is another in the same place, was in the cache and is
 * not any more, takes longer or less beyond noise; `hit` is the other way round from `missed`.
 */
export type Change = "same" | "added" | "removed" | "changed" | "missed" | "slower" | "faster" | "hit";

export interface DiffNode {
  name: string;
  change: Change;
  /** Its name then, where that is another. */
  was?: string;
  before?: Pick<SpanNode, "durationMs" | "cached" | "result">;
  now?: Pick<SpanNode, "durationMs" | "cached" | "result">;
  children: DiffNode[];
}

/** Finds which nodes of two trees are the same ones. */
export interface DiffStrategy {
  readonly name: string;
  diff(before: SpanNode, now: SpanNode, noise?: Noise): DiffNode;
}

/** What a time may differ by without a reason: both have to be exceeded. */
export interface Noise {
  ms: number;
  ratio: number;
}

export const usualNoise: Noise = { ms: 250, ratio: 0.3 };

/** Nodes in the order of the newer tree; one side is missing for what is new or gone. */
export type Pair = [before: SpanNode | undefined, now: SpanNode | undefined];

/** A strategy out of the one thing in which they differ: which children of two nodes belong together. */
export function strategyOf(
  name: string,
  pair: (before: readonly SpanNode[], now: readonly SpanNode[]) => Pair[],
): DiffStrategy {
  const diffNodes = (before: SpanNode, now: SpanNode, noise: Noise): DiffNode => ({
    name: now.name,
    change: changeOf(before, now, noise),
    ...(before.name === now.name ? {} : { was: before.name }),
    before: factsOf(before),
    now: factsOf(now),
    children: pair(before.children, now.children).map(([then, current]) =>
      then !== undefined && current !== undefined ? diffNodes(then, current, noise) : oneSided(then, current),
    ),
  });
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
  return { durationMs, cached, ...(result === undefined ? {} : { result }) };
}

function changeOf(before: SpanNode, now: SpanNode, noise: Noise): Change {
  if (before.name !== now.name || before.result !== now.result) return "changed";
  if (before.cached !== now.cached) return now.cached ? "hit" : "missed";
  if (exceeds(now.durationMs, before.durationMs, noise)) return "slower";
  return exceeds(before.durationMs, now.durationMs, noise) ? "faster" : "same";
}

const exceeds = (longer: number, shorter: number, { ms, ratio }: Noise): boolean =>
  longer - shorter > ms && longer > shorter * (1 + ratio);

/** What `diff` ends with 1 for; being faster, or in the cache, is no difference that anybody has to look at. */
export const isDifference = ({ change }: Pick<DiffNode, "change">): boolean =>
  change !== "same" && change !== "faster" && change !== "hit";

/** How many nodes of a tree there are of each change. */
export function countChanges(root: DiffNode, counts = new Map<Change, number>()): Map<Change, number> {
  counts.set(root.change, (counts.get(root.change) ?? 0) + 1);
  for (const child of root.children) countChanges(child, counts);
  return counts;
}
