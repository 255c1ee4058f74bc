/** Strategies that decide which operations of two runs are the same: built-in ones, or a program of the project. */
import * as z from "zod";
import { UserError } from "../errors/index.ts";
import type { ExtensionPoint } from "../extensions/index.ts";
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
 * Wraps a strategy of the project and checks its result. Throws a `UserError` when it throws or returns no tree of
 * changes.
 */
export function guardedStrategy(strategy: DiffStrategy): DiffStrategy {
  const place = `the diff strategy "${strategy.name}"`;
  return {
    name: strategy.name,
    diff(before, now, noise) {
      let tree: unknown;
      try {
        tree = strategy.diff(before, now, noise);
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : String(cause);
        throw new UserError("config", `diff() failed: ${reason}`, { place, cause });
      }
      const parsed = node.safeParse(tree);
      if (parsed.success) return parsed.data;
      const [issue] = parsed.error.issues;
      const at = issue?.path.join(".") ?? "";
      throw new UserError("config", `diff() gave no tree of changes: ${at === "" ? "" : `${at}: `}${issue?.message}`, {
        place,
      });
    },
  };
}
