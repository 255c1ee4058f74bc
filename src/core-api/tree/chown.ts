import path from "node:path/posix";
import type { RefStat } from "../../buildkit/types.ts";
import { kindOf, permissionsOf, withTree } from "./read.ts";
import { edited, scratch } from "../values/rooted.ts";
import type { Call } from "../request/call.ts";
import type { Directory, Owner, Tree } from "../values/values.ts";

/** Changes the owner of a path in a directory's tree and of everything below it. */
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
  // A copy into an existing folder does not change the folder's owner, so the folder is recreated.
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
 * Returns the files that must lose their set-group-id bit. The kernel clears it on group-executable files when their
 * owner changes. The copy of a folder cannot do this, because it would also clear the bit on folders.
 */
async function setGroupIdFiles(call: Call, tree: Tree, folder: string): Promise<string[]> {
  return await withTree(call, tree, async (reader) => {
    const found: string[] = [];
    for await (const entry of reader.walk(folder))
      if (kindOf(entry) === "REGULAR" && losesGroupId(entry)) found.push(entry.relative);
    return found;
  });
}
