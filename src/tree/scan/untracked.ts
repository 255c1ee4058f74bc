import path from "node:path";
import { lstatIfThere } from "../../paths/index.ts";
import { TrackedFiles } from "../git/git-index.ts";
import { listTree } from "./scanner.ts";

/**
 * What a repository holds that git does not track and neither a `.gitignore` of it nor the user's global excludes name, as paths
 * in it; a repository inside of it is one of them, with a slash at its end. Git itself would wait for a pipe that is called `.gitignore`.
 */
export function untrackedPaths(repository: string): string[] {
  const tracked = TrackedFiles.of(repository);
  const { entries } = listTree(repository, { exclude: ["**/.git"], gitignore: true, globalExcludes: true });
  // Of its files nothing is said.
  let inner = "";
  return entries.flatMap(({ path: name, type }) => {
    if (inner !== "" && name.startsWith(inner)) return [];
    if (type !== "directory") return tracked.has(name) ? [] : [name];
    if (lstatIfThere(path.join(repository, name, ".git")) === undefined) return [];
    inner = `${name}/`;
    return tracked.has(inner) ? [] : [inner];
  });
}
