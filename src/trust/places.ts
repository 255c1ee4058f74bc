/** Decides what belongs to a repository; everything else is the user's. */
import { readlinkSync, realpathSync } from "node:fs";
import path from "node:path";
import { homeFolder } from "../paths/index.ts";
import { findGitRoot, readOnce } from "../tree/index.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Returns the real path of the repository that holds a folder: its git root, else the folder. A git root that contains
 * the user's home (for dotfiles, say) is no project, so then only the folder itself counts.
 */
export function repositoryOf(folder: string, env: Environment): string {
  const ownHome = homeFolder(env);
  // Cached, as it is needed for each path of each call.
  return readOnce(`repository of ${folder} beside ${ownHome}`, () => {
    const real = realPathOf(folder);
    const root = findGitRoot(real) ?? real;
    return isWithin(root, realPathOf(ownHome)) ? real : root;
  });
}

/** The kernel follows as many links. */
const longestChain = 40;

/**
 * Returns the real path, even of a missing file: below its nearest existing folder, or at the target of a broken link.
 */
export function realPathOf(file: string, links = longestChain): string {
  const missing: string[] = [];
  for (let at = path.resolve(file); ; at = path.dirname(at)) {
    try {
      return path.join(realpathSync.native(at), ...missing);
    } catch {
      const target = linkTarget(at);
      if (target !== undefined && links > 0)
        return realPathOf(path.join(path.resolve(path.dirname(at), target), ...missing), links - 1);
      if (at === path.dirname(at)) return path.resolve(file);
      missing.unshift(path.basename(at));
    }
  }
}

function linkTarget(file: string): string | undefined {
  try {
    return readlinkSync(file);
  } catch {
    return undefined;
  }
}

export function isWithin(folder: string, file: string): boolean {
  const relative = path.relative(folder, file);
  return relative === "" || (relative !== ".." && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative));
}
