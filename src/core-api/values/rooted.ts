import type { Directory, Edit, Tree } from "./values.ts";

export const scratch: Tree = { kind: "scratch" };

/** Returns `base` with one more edit on it. */
export function edited(base: Tree, edit: Edit): Tree {
  return { kind: "edit", base, edit };
}

/** Returns a directory as a whole tree: its own tree, or a copy of the part that it covers. */
export function rootedTree(directory: Directory): Tree {
  if (directory.path === "/") return directory.tree;
  return edited(scratch, {
    action: "copy-directory",
    source: directory.tree,
    sourcePath: directory.path,
    path: "/",
    include: [],
    exclude: [],
  });
}

export const emptyDirectory: Directory = { type: "Directory", tree: scratch, path: "/" };
