import path from "node:path";
import { realPathIfThere } from "../paths/index.ts";
import { findGitRoot } from "../tree/index.ts";

/**
 * Returns the location that a project's seals are bound to: its real path. With a key shared between machines it is the
 * location within the repository, since CI checkouts may be anywhere.
 */
export function placeOf(project: string, isShared: boolean): string {
  // A project that no longer exists has no real path, only its name.
  const root = realPathIfThere(path.resolve(project));
  return isShared ? `in its repository at ${path.relative(findGitRoot(root) ?? root, root)}` : `at ${root}`;
}
