import path from "node:path";
import { lstatIfThere } from "../../paths/index.ts";
import { TreeScanner } from "./scanner.ts";

/**
 * Returns what a repository contains that is neither in `tracked` (submodules with a trailing slash) nor ignored by its
 * `.gitignore` files or the user's global excludes, as paths in it. A nested repository is one of them, with a trailing
 * slash. Git itself would wait for a pipe named `.gitignore`.
 */
export function untrackedPaths(repository: string, tracked: ReadonlySet<string>): string[] {
  const filter = { exclude: ["**/.git"], gitignore: true, globalExcludes: true };
  const entries = new TreeScanner(repository, [{ path: "", filter }]).names()?.listing.entries ?? [];
  // The files of a nested repository are not listed.
  let inner = "";
  return entries.flatMap(({ path: name, type }) => {
    if (inner !== "" && name.startsWith(inner)) return [];
    if (type !== "directory") return tracked.has(name) ? [] : [name];
    if (lstatIfThere(path.join(repository, name, ".git")) === undefined) return [];
    inner = `${name}/`;
    return tracked.has(inner) ? [] : [inner];
  });
}
