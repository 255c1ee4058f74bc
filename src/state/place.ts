import { realpathSync } from "node:fs";
import path from "node:path";
import { findGitRoot } from "../tree/index.ts";

/**
 * Returns the location that a project's seals are bound to: its real path. With a key shared between machines it is the
 * location within the repository, since CI checkouts may be anywhere.
 */
export function placeOf(project: string, isShared: boolean): string {
  const root = realOr(project);
  return isShared ? `in its repository at ${path.relative(findGitRoot(root) ?? root, root)}` : `at ${root}`;
}

/** A project that no longer exists has no real path, only its name. */
function realOr(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return path.resolve(folder);
  }
}
