import { edited, scratch, type Directory, type Tree } from "./values.ts";

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
