/** Decides what belongs to a repository; everything else is the user's. */
import { homeFolder, isInside, realPath } from "../paths/index.ts";
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
    const real = realPath(folder);
    const root = findGitRoot(real) ?? real;
    return isInside(root, realPath(ownHome)) ? real : root;
  });
}
