import type { Directory, Edit, Tree } from "./values.ts";

export const scratch: Tree = { kind: "scratch" };

/** `tree` with one more change on it. */
export function edited(base: Tree, edit: Edit): Tree {
  return { kind: "edit", base, edit };
}

/** A directory as a whole tree: itself, or a copy where it is only a part of one. */
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
