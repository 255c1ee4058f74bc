import { readdirSync } from "node:fs";
import path from "node:path";
import { compileFilter, type CompiledFilter, type FolderState } from "./selection.ts";

/**
 * Returns what git ignores below a folder, as absolute paths: a folder instead of everything in it, and nothing that
 * git tracks. `passed` decides by relative path what is not even scanned.
 */
export function ignoredPaths(root: string, passed: (relative: string) => boolean): string[] {
  const filter = compileFilter(root, { leaveOut: "ignored" });
  const found: string[] = [];
  const open: [folder: string, state: FolderState][] = [["", filter.rootState()]];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [folder, above] = next;
    const entries = readdirSync(path.join(root, folder), { withFileTypes: true });
    const state = inside(filter, path.join(root, folder), folder, above, new Set(entries.map(({ name }) => name)));
    for (const entry of entries) {
      const relative = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.name === ".git" || passed(relative)) continue;
      const below = entry.isDirectory() ? filter.enterFolder(relative, state) : undefined;
      if (below !== undefined) open.push([relative, below]);
      else if (entry.isDirectory() || !filter.selectsFile(relative, state)) found.push(path.join(root, relative));
    }
  }
  return found.sort();
}

function inside(
  filter: CompiledFilter,
  directory: string,
  folder: string,
  above: FolderState,
  names: ReadonlySet<string>,
): FolderState {
  const state = folder !== "" && names.has(".git") ? filter.withRepositoryOf(directory, folder, above) : above;
  return names.has(".gitignore") ? filter.withGitignoreOf(directory, folder, state) : state;
}
