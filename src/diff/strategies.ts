/** Strategies that decide which operations of two runs are the same: built-in ones, or a program of the project. */
import * as z from "zod";
import { UserError } from "../errors/index.ts";
import { withinComputeTime, type ExtensionPoint } from "../extensions/index.ts";
import { editDistance } from "./edit-distance.ts";
import { setBased } from "./set-based.ts";
import type { DiffNode, DiffStrategy } from "./tree.ts";

export const diffPoint: ExtensionPoint<DiffStrategy> = {
  key: "diff",
  builtIn: { set: () => setBased, edit: () => editDistance },
  methods: ["diff"],
};

const facts = z.object({ durationMs: z.number(), cached: z.boolean(), result: z.string().optional() });
const node: z.ZodType<DiffNode> = z.object({
  name: z.string(),
  change: z.enum(["same", "added", "removed", "changed", "missed", "slower", "faster", "hit"]),
  was: z.string().optional(),
  before: facts.optional(),
  now: facts.optional(),
  get children() {
    return z.array(node);
  },
});

/**
 * Wraps a strategy of the project and checks its result. Throws a `UserError` when it throws, computes for too long, or
 * returns no tree of changes.
 */
export function guardedStrategy(strategy: DiffStrategy): DiffStrategy {
  const place = `the diff strategy "${strategy.name}"`;
  return {
    name: strategy.name,
    diff(before, now, noise) {
      let tree: unknown;
      try {
        tree = withinComputeTime(() => strategy.diff(before, now, noise));
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : String(cause);
        throw new UserError("config", `diff() failed: ${reason}`, { place, cause });
      }
      const problem = sizeProblem(tree);
      const parsed = problem === undefined ? node.safeParse(tree) : undefined;
      if (parsed?.success === true) return parsed.data;
      const issue = parsed?.error.issues[0];
      const at = issue?.path.join(".") ?? "";
      const why = problem ?? `${at === "" ? "" : `${at}: `}${issue?.message}`;
      throw new UserError("config", `diff() gave no tree of changes: ${why}`, { place });
    },
  };
}

/** Operations are at most a few levels deep, and runs are limited to 20,000 of them. What follows recurses. */
const deepest = 100;
const mostNodes = 1_000_000;

/** Refuses what has no end, such as a node that is below itself, level by level. */
function sizeProblem(tree: unknown): string | undefined {
  if (tree instanceof Promise) {
    // If it rejects later, it must not end the process with an error of its own.
    void tree.catch(() => undefined);
    return "it is a promise; diff() must not be async";
  }
  let [level, count]: [unknown[], number] = [[tree], 0];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > deepest) return `it is more than ${deepest} levels deep`;
    const below: unknown[] = [];
    for (const one of level) {
      const { children } = (one ?? {}) as { children?: unknown };
      if (!Array.isArray(children)) continue;
      count += children.length;
      if (count > mostNodes) return `it has more than ${mostNodes} nodes`;
      for (const child of children as unknown[]) below.push(child);
    }
    level = below;
  }
  return undefined;
}
