import { ApiError } from "../values/errors.ts";
import { withTree } from "./read.ts";
import type { Call } from "../request/call.ts";
import { type Tree } from "../values/values.ts";
import { edited } from "../values/rooted.ts";

/**
 * Returns `tree` without a path. Brackets and question marks are taken literally. As on a Dagger engine, `*` makes
 * patterns of those parts of the path that contain it, unless something has exactly this name: then only that is
 * removed.
 */
export async function withoutPath(call: Call, tree: Tree, path: string): Promise<Tree> {
  if (tree.kind === "scratch") return tree;
  // The root of a tree is a mount point, which cannot be removed.
  if (path === "/") throw new ApiError("unlinkat /: device or resource busy");
  if (!path.includes("*") || (await withTree(call, tree, (reader) => reader.stat(path, false))) !== undefined) {
    return edited(tree, { action: "remove", path });
  }
  const parts = path.split("/").map((part) => (part.includes("*") ? part : escapePattern(part)));
  return edited(tree, { action: "remove", path: parts.join("/"), pattern: true });
}

/**
 * Escapes a name so that it matches as a pattern only itself. BuildKit treats a backslash before a wildcard as part of
 * the name, hence character classes.
 */
export function escapePattern(name: string): string {
  return name.replace(/[*?[]/g, "[$&]").replaceAll("\\", "[\\\\]");
}
