import { recipeDigest } from "./ids.ts";
import { type Edit, type Tree } from "./values.ts";
import { edited } from "./rooted.ts";

/**
 * Returns what `upper` has and `lower` lacks or has differently. BuildKit compares two trees by their layers, and files
 * by their times, too. What the two have in common is therefore compiled as one tree that both are made on top of,
 * rather than once for each of them: as two runs of edits, equal files would be written at two times.
 */
export function diffTree(lower: Tree, upper: Tree): Tree {
  const [below, above] = [historyOf(lower), historyOf(upper)];
  // Compare by digest, because each request creates its own objects for equal recipes.
  const known = new Map(below.map((tree, at) => [recipeDigest(tree), at]));
  const own = above.findIndex((tree) => known.has(recipeDigest(tree)));
  const common = above[own];
  if (common === undefined || common.kind === "scratch") return { kind: "diff", lower, upper };
  const ofLower = below.slice(0, known.get(recipeDigest(common)));
  return { kind: "diff", lower: madeOn(common, ofLower), upper: madeOn(common, above.slice(0, own)) };
}

/** Returns a tree, and what it was before each of its edits, the last one first. */
function historyOf(tree: Tree): Tree[] {
  const history = [tree];
  for (let at = tree; at.kind === "edit"; at = at.base) history.push(at.base);
  return history;
}

/** Applies the edits of these trees, the last one first, to a tree that is compiled by itself. */
function madeOn(base: Tree, trees: readonly Tree[]): Tree {
  if (trees.length === 0) return base;
  const edits = trees.flatMap((tree): Edit[] => (tree.kind === "edit" ? [tree.edit] : []));
  return edits.reduceRight<Tree>((made, edit) => edited(made, edit), { kind: "fixed", tree: base });
}
