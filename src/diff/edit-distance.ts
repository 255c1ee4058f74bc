import { pairByName } from "./set-based.ts";
import { strategyOf, type Pair, type SpanNode } from "./tree.ts";

/**
 * Pairs children by the shortest list of insertions and deletions (Myers), in order: a moved node counts as removed and
 * added. A deletion next to an insertion with a similar name is one changed node.
 */
export const editDistance = strategyOf("edit", pairByEdits);

/** Lists with more edits have little in common, and are paired by name instead. */
const mostEdits = 1500;
/** Share of the parts of two names that both must contain. */
const leastLikeness = 0.5;

function pairByEdits(before: readonly SpanNode[], now: readonly SpanNode[]): Pair[] {
  let start = 0;
  while (start < before.length && start < now.length && before[start]!.name === now[start]!.name) start++;
  let end = 0;
  while (
    end < before.length - start &&
    end < now.length - start &&
    before[before.length - 1 - end]!.name === now[now.length - 1 - end]!.name
  )
    end++;
  const same = (from: number, count: number, shift: number): Pair[] =>
    Array.from({ length: count }, (_, index): Pair => [before[from + index], now[from + index + shift]]);
  const inner = [before.slice(start, before.length - end), now.slice(start, now.length - end)] as const;
  const edited = myers(...inner);
  return [
    ...same(0, start, 0),
    ...(edited === undefined ? pairByName(...inner) : joinLikely(edited)),
    ...same(before.length - end, end, now.length - before.length),
  ];
}

/** Returns the shortest edit script as pairs; undefined when it exceeds `mostEdits`. */
function myers(before: readonly SpanNode[], now: readonly SpanNode[]): Pair[] | undefined {
  const most = Math.min(mostEdits, before.length + now.length);
  const furthest = new Map<number, number>([[1, 0]]);
  const trail: Map<number, number>[] = [];
  for (let edits = 0; edits <= most; edits++) {
    const reached = new Map<number, number>();
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      const down = goesDown(furthest, diagonal, edits);
      let x = down ? (furthest.get(diagonal + 1) ?? 0) : (furthest.get(diagonal - 1) ?? 0) + 1;
      let y = x - diagonal;
      while (x < before.length && y < now.length && before[x]!.name === now[y]!.name) {
        x++;
        y++;
      }
      reached.set(diagonal, x);
      furthest.set(diagonal, x);
      if (x >= before.length && y >= now.length) return walkBack(before, now, [...trail, reached]);
    }
    trail.push(reached);
  }
  return undefined;
}

function goesDown(furthest: ReadonlyMap<number, number>, diagonal: number, edits: number): boolean {
  if (diagonal === -edits) return true;
  if (diagonal === edits) return false;
  return (furthest.get(diagonal - 1) ?? -1) < (furthest.get(diagonal + 1) ?? -1);
}

function walkBack(
  before: readonly SpanNode[],
  now: readonly SpanNode[],
  trail: readonly ReadonlyMap<number, number>[],
): Pair[] {
  const pairs: Pair[] = [];
  let x = before.length;
  let y = now.length;
  for (let edits = trail.length - 1; edits > 0; edits--) {
    const last = trail[edits - 1]!;
    const diagonal = x - y;
    const from = goesDown(last, diagonal, edits) ? diagonal + 1 : diagonal - 1;
    const fromX = last.get(from) ?? 0;
    const fromY = fromX - from;
    while (x > fromX && y > fromY) pairs.push([before[--x], now[--y]]);
    if (x > fromX) pairs.push([before[--x], undefined]);
    else if (y > fromY) pairs.push([undefined, now[--y]]);
  }
  while (x > 0 && y > 0) pairs.push([before[--x], now[--y]]);
  return pairs.reverse();
}

/** Joins removed and added nodes with similar names within each run of edits. */
function joinLikely(pairs: readonly Pair[]): Pair[] {
  const joined: Pair[] = [];
  for (let at = 0; at < pairs.length;) {
    const pair = pairs[at]!;
    if (pair[0] !== undefined && pair[1] !== undefined) {
      joined.push(pair);
      at++;
      continue;
    }
    let end = at;
    while (end < pairs.length && (pairs[end]![0] === undefined || pairs[end]![1] === undefined)) end++;
    const stretch = pairs.slice(at, end);
    joined.push(
      ...joinStretch(
        stretch.flatMap(([node]) => node ?? []),
        stretch.flatMap(([, node]) => node ?? []),
      ),
    );
    at = end;
  }
  return joined;
}

function joinStretch(gone: SpanNode[], come: readonly SpanNode[]): Pair[] {
  const left = [...gone];
  const pairs = come.map((node): Pair => {
    const found = left.findIndex((other) => likeness(other.name, node.name) >= leastLikeness);
    return [found < 0 ? undefined : left.splice(found, 1)[0], node];
  });
  return [...left.map((node): Pair => [node, undefined]), ...pairs];
}

function likeness(a: string, b: string): number {
  const [one, other] = [new Set(a.split(/[^\w.]+/)), new Set(b.split(/[^\w.]+/))];
  const both = [...one].filter((piece) => other.has(piece)).length;
  return both / Math.max(1, one.size, other.size);
}
