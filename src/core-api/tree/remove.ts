import { ApiError } from "../values/errors.ts";
import { withTree } from "./read.ts";
import type { Call } from "../request/call.ts";
import { type Tree } from "../values/values.ts";
import { edited } from "../values/rooted.ts";

/**
 * `tree` without what is at a path. A name is a name, brackets and question marks included. Only `*` makes a pattern of
 * it, as on a Dagger engine, and of the parts of the path that have one; where something is called exactly so, that is
 * meant and nothing else.
 */
export async function withoutPath(call: Call, tree: Tree, path: string): Promise<Tree> {
  if (tree.kind === "scratch") return tree;
  // The root of a tree is where it is mounted.
  if (path === "/") throw new ApiError("unlinkat /: device or resource busy");
  if (!path.includes("*") || (await withTree(call, tree, (reader) => reader.stat(path, false))) !== undefined) {
    return edited(tree, { action: "remove", path });
  }
  const parts = path.split("/").map((part) => (part.includes("*") ? part : escapePattern(part)));
  return edited(tree, { action: "remove", path: parts.join("/"), pattern: true });
}

/** A name as a pattern that matches it alone. BuildKit takes a backslash before a wildcard for a part of the name, so classes it is. */
export function escapePattern(name: string): string {
  return name.replace(/[*?[]/g, "[$&]").replaceAll("\\", "[\\\\]");
}
