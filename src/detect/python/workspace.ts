/** Workspaces of uv: which packages are members, and what each depends on. */
import { isWithin } from "../../paths/index.ts";
import { has, joined, memberMatcher } from "../files.ts";
import type { ProjectFiles } from "../types.ts";
import { readPyproject } from "./pyproject.ts";

export interface UvMember {
  folder: string;
  /** Folders of the members that it depends on. */
  needs: string[];
}

/** Returns the members of the workspace with this root, without the root itself; none if the folder is no root. */
export function uvMembers(files: ProjectFiles, root: string, folders: readonly string[]): UvMember[] {
  if (!has(files, joined(root, "uv.lock"))) return [];
  const { uvMembers: members, uvExcluded: excluded } = readPyproject(files.read(joined(root, "pyproject.toml")));
  const [isMember, isExcluded] = [memberMatcher(members), memberMatcher(excluded)];
  const place = (folder: string): string => (root === "" ? folder : folder.slice(root.length + 1));
  const found = folders
    .filter((folder) => folder !== root && isWithin(root, folder))
    .filter((folder) => has(files, joined(folder, "pyproject.toml")))
    .filter((folder) => isMember(place(folder)) && !isExcluded(place(folder)))
    .map((folder) => ({ folder, ...readPyproject(files.read(joined(folder, "pyproject.toml"))) }));
  return found.map(({ folder, dependencies }) => ({
    folder,
    needs: found
      .filter((other) => other.folder !== folder && dependencies.includes(other.name))
      .map((each) => each.folder),
  }));
}

/** Returns the members in `from` and everything that they depend on. */
export function closureOf(from: readonly string[], members: readonly UvMember[]): string[] {
  const found = new Set(from);
  for (const folder of found)
    for (const next of members.find((member) => member.folder === folder)?.needs ?? []) found.add(next);
  return [...found];
}
