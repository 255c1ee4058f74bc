import path from "node:path";
import { lstatIfThere } from "../../paths/index.ts";
import { TreeScanner } from "./scanner.ts";

/**
 * What a repository holds that is not among `tracked` (a submodule with a slash at its end) and neither a `.gitignore` of it nor the user's global excludes name, as paths
 * in it; a repository inside of it is one of them, with a slash at its end. Git itself would wait for a pipe that is called `.gitignore`.
 */
export function untrackedPaths(repository: string, tracked: ReadonlySet<string>): string[] {
  const filter = { exclude: ["**/.git"], gitignore: true, globalExcludes: true };
  const entries = new TreeScanner(repository, [{ path: "", filter }]).names()?.listing.entries ?? [];
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
