import path from "node:path/posix";
import type { RefStat } from "../../buildkit/types.ts";
import { kindOf, permissionsOf, withTree } from "./read.ts";
import { edited, scratch } from "../values/rooted.ts";
import type { Call } from "../request/call.ts";
import type { Directory, Owner, Tree } from "../values/values.ts";

/** The directory with what is at a path of its tree, and all below, given to somebody. */
export async function chowned(
  call: Call,
  directory: Directory,
  target: string,
  stat: RefStat,
  owner: Owner,
): Promise<Directory> {
  const source = { source: directory.tree, sourcePath: target, owner, dropSetuid: true };
  if (kindOf(stat) !== "DIRECTORY") {
    const mode = permissionsOf(stat) & ~(losesGroupId(stat) ? 0o6000 : 0o4000);
    const copy = {
      action: "copy-file",
      source: directory.tree,
      sourcePath: target,
      path: target,
      mode,
      owner,
    } as const;
    return { ...directory, tree: edited(directory.tree, copy) };
  }
  const copy = { action: "copy-directory", include: [], exclude: [], folder: "new", ...source } as const;
  // A folder that is there keeps its owner when something is copied into it: it is made anew.
  const isRoot = target === "/";
  const place = isRoot ? "/root" : target;
  const base = isRoot ? scratch : edited(directory.tree, { action: "remove", path: target });
  let tree = edited(base, { ...copy, path: place });
  for (const name of await setGroupIdFiles(call, directory.tree, target))
    tree = edited(tree, {
      ...source,
      action: "copy-file",
      sourcePath: path.join(target, name),
      path: path.join(place, name),
    });
  return { ...directory, tree, path: isRoot ? place : directory.path };
}

function losesGroupId(stat: RefStat): boolean {
  return (permissionsOf(stat) & 0o2010) === 0o2010;
}

/**
 * The files that lose their set-group-id bit with their owner, as the kernel takes it off what a group may execute: the copy of a
 * folder can't, as it would take it off folders as well.
 */
async function setGroupIdFiles(call: Call, tree: Tree, folder: string): Promise<string[]> {
  return await withTree(call, tree, async (reader) => {
    const found: string[] = [];
    for await (const entry of reader.walk(folder))
      if (kindOf(entry) === "REGULAR" && losesGroupId(entry)) found.push(entry.relative);
    return found;
  });
}
