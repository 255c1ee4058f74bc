/**
 * Compares two runs operation by operation, in the order in which they began: for pipelines whose steps are renamed
 * often, and always come in the same order.
 *
 *     extensions:
 *       diff: ./by-position.ts
 */
import type { DiffNode, DiffStrategy, SpanNode } from "fastloop";

const facts = ({ durationMs, cached, result }: SpanNode): NonNullable<DiffNode["now"]> => ({
  durationMs,
  cached,
  ...(result === undefined ? {} : { result }),
});

function compare(before: SpanNode | undefined, now: SpanNode | undefined): DiffNode {
  const { name } = (now ?? before)!;
  const children: DiffNode[] = [];
  for (let at = 0; at < Math.max(before?.children.length ?? 0, now?.children.length ?? 0); at++)
    children.push(compare(before?.children[at], now?.children[at]));
  if (before === undefined || now === undefined) {
    const side = before === undefined ? { now: facts(now!) } : { before: facts(before) };
    return { name, change: now === undefined ? "removed" : "added", ...side, children };
  }
  const change = before.result !== now.result ? "changed" : before.cached && !now.cached ? "missed" : "same";
  const was = before.name === now.name ? {} : { was: before.name };
  return { name, change, ...was, before: facts(before), now: facts(now), children };
}

export default { name: "by position", diff: compare } satisfies DiffStrategy;
