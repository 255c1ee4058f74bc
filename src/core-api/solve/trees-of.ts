import type { Tree } from "../values/values.ts";

/**
 * Returns the run of edits that ends in `tree` and is compiled to one operation: either literal edits and file copies,
 * or one folder copy.
 */
export function editRun(tree: Tree & { kind: "edit" }): { base: Tree; edits: (Tree & { kind: "edit" })["edit"][] } {
  const edits = [tree.edit];
  let base = tree.base;
  if (tree.edit.action !== "copy-directory") {
    while (base.kind === "edit" && base.edit.action !== "copy-directory") {
      edits.push(base.edit);
      base = base.base;
    }
  }
  return { base, edits: edits.reverse() };
}

/** Returns the trees that have to be compiled before `tree`. */
export function treesOf(tree: Tree): Tree[] {
  switch (tree.kind) {
    case "edit": {
      const run = editRun(tree);
      return [run.base, ...run.edits.flatMap((edit) => ("source" in edit ? [edit.source] : []))];
    }
    case "exec":
      return [
        tree.exec.rootfs,
        tree.exec.shim,
        ...tree.exec.mounts.flatMap(({ source }) => {
          if (source.kind === "tmpfs") return [];
          if (source.kind === "cache") return source.base === undefined ? [] : [source.base.tree];
          return [source.tree];
        }),
      ];
    case "diff":
      return [tree.lower, tree.upper];
    case "fixed":
      return [tree.tree];
    default:
      return [];
  }
}
