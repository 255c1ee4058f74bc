import { recipeDigest } from "./ids.ts";
import { type Edit, type Tree } from "./values.ts";
import { edited } from "./rooted.ts";

/**
 * Returns what `upper` has and `lower` lacks or has differently. BuildKit compares two trees by their layers. If
 * `upper` was made by edits of `lower`, it is compiled on top of exactly that tree, rather than as one run of edits
 * from further down.
 */
export function diffTree(lower: Tree, upper: Tree): Tree {
  const edits: Edit[] = [];
  let base = upper;
  // Compare by digest, because each request creates its own objects for equal recipes.
  const wanted = recipeDigest(lower);
  while (base.kind === "edit" && recipeDigest(base) !== wanted) {
    edits.push(base.edit);
    base = base.base;
  }
  const onLower = edits.reduceRight<Tree>((tree, edit) => edited(tree, edit), { kind: "fixed", tree: lower });
  return { kind: "diff", lower, upper: recipeDigest(base) === wanted ? onLower : upper };
}
