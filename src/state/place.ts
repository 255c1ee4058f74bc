import { realpathSync } from "node:fs";
import path from "node:path";
import { findGitRoot } from "../tree/index.ts";

/**
 * What a project is to its seals: the real path. With a key that machines share it is the place in the repository, as
 * checkouts of a CI lie anywhere.
 */
export function placeOf(project: string, isShared: boolean): string {
  const root = realOr(project);
  return isShared ? `in its repository at ${path.relative(findGitRoot(root) ?? root, root)}` : `at ${root}`;
}

/** A project that is gone has only its name left. */
function realOr(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return path.resolve(folder);
  }
}
