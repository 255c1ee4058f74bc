/** Whose cache volumes a session has. */
import { createHash } from "node:crypto";
import { realpathSync } from "node:fs";
import path from "node:path";
import { readRegular } from "../../paths/index.ts";
import { findGitRoot, gitDirectories } from "../../tree/index.ts";
import type { OpenSessionOptions } from "../types.ts";

/**
 * 24 hexadecimal digits of the repository and the module in it. A repository is where it lies: whatever can be copied into
 * a clone, as an id in a file or the URL of a remote, a hostile one could claim. Worktrees are their repository; a checkout
 * that is moved, or copied, begins with empty volumes. A session without a module has volumes of its own.
 */
export function projectIdentity({ workdir, module }: Pick<OpenSessionOptions, "workdir" | "module">): string {
  const folder = realPath(module?.sourceDir ?? workdir);
  const root = findGitRoot(folder);
  const repository = root === undefined ? folder : commonFolder(root);
  const identity = [repository, root === undefined ? "" : path.relative(root, folder), module?.name ?? null];
  return createHash("sha256")
    .update(JSON.stringify(module === undefined ? [repository, null] : identity))
    .digest("hex")
    .slice(0, 24);
}

/** The main checkout's `.git` of a worktree that it knows of; else the root's own. */
function commonFolder(root: string): string {
  const own = path.join(root, ".git");
  const { gitDir, commonDir } = gitDirectories(root);
  if (realPath(gitDir) === realPath(own)) return realPath(own);
  // A `.git` file of a clone may point at anybody's repository: that one has to point back.
  const known =
    path.dirname(realPath(gitDir)) === path.join(realPath(commonDir), "worktrees") &&
    realPath(read(path.join(gitDir, "gitdir")).trim()) === realPath(own);
  return known ? realPath(commonDir) : own;
}

function read(file: string): string {
  try {
    return readRegular(file).toString("utf8");
  } catch {
    return "";
  }
}

function realPath(file: string): string {
  try {
    return realpathSync.native(file);
  } catch {
    return file;
  }
}
