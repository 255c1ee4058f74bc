/** Where a repository ends: what lies outside of it is the user's. */
import { readlinkSync, realpathSync } from "node:fs";
import path from "node:path";
import { homeFolder } from "../paths/index.ts";
import { findGitRoot, readOnce } from "../tree/index.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Real path of the repository that holds a folder: its git root, else the folder. A git root that holds the user's home (of
 * dotfiles, say) is none of a project's: then the folder itself is all that is the repository's.
 */
export function repositoryOf(folder: string, env: Environment): string {
  const ownHome = homeFolder(env);
  // Asked for each path of each call.
  return readOnce(`repository of ${folder} beside ${ownHome}`, () => {
    const real = realPathOf(folder);
    const root = findGitRoot(real) ?? real;
    return isWithin(root, realPathOf(ownHome)) ? real : root;
  });
}

/** As many links as the kernel follows. */
const longestChain = 40;

/** The real path, also of what is not there yet: below its nearest folder that is, or where a link to nothing leads. */
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
