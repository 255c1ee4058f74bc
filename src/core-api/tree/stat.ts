import path from "node:path/posix";
import { isUnknown, knownAt } from "./known.ts";
import { kindOf, notFound, withTree, type FileKind } from "./read.ts";
import { ApiError } from "../values/errors.ts";
import type { Call } from "../request/call.ts";
import type { Tree } from "../values/values.ts";

export type ExistsType = "REGULAR_TYPE" | "DIRECTORY_TYPE" | "SYMLINK_TYPE";

export interface Stat {
  readonly type: "Stat";
  readonly size: number;
  readonly name: string;
  readonly fileType: FileKind;
  readonly permissions: number;
}

const expected: Record<ExistsType, FileKind> = {
  REGULAR_TYPE: "REGULAR",
  DIRECTORY_TYPE: "DIRECTORY",
  SYMLINK_TYPE: "SYMLINK",
};

/**
 * Reports whether something, of the given type if any, is at a path. Throws an `ApiError` below a file, as the kernel
 * does.
 */
export async function existsIn(
  call: Call,
  tree: Tree,
  name: string,
  type: ExistsType | null | undefined,
  doNotFollowLinks: boolean,
): Promise<boolean> {
  const follow = !doNotFollowLinks && type !== "SYMLINK_TYPE";
  const stat = await withTree(call, tree, (reader) => reader.stat(name, follow, "throws"));
  if (stat === undefined) return false;
  return type === undefined || type === null || kindOf(stat) === expected[type];
}

/**
 * Stats a path. `shown` is the path as the user wrote it, for the error. Throws an `ApiError` when nothing is there.
 */
export async function statIn(call: Call, tree: Tree, name: string, shown: string, follow: boolean): Promise<Stat> {
  if (shown === "") throw notFound("stat", shown);
  const stat = await withTree(call, tree, (reader) => reader.stat(name, follow, "throws"));
  if (stat === undefined) throw notFound("stat", shown);
  const fileType = kindOf(stat);
  return {
    type: "Stat",
    size: fileType === "SYMLINK" ? Buffer.byteLength(stat.linkname) : stat.sizeBytes,
    // When a link was followed, the name is that of its target.
    name: path.basename(follow ? stat.path : name),
    fileType,
    permissions: stat.mode & 0o777,
  };
}

/**
 * Throws an `ApiError` when a tree has no file or folder at a path, because a Dagger engine does not name what does not
 * exist.
 */
export async function requireThere(call: Call, tree: Tree, name: string, wanted: "file" | "folder"): Promise<void> {
  const known = knownAt(call.session.hostTrees, tree, name);
  const kind = isUnknown(known)
    ? await withTree(call, known.tree, async (reader) => {
        const stat = await reader.stat(known.path);
        if (stat === undefined) return known.made === true ? "folder" : undefined;
        return kindOf(stat) === "DIRECTORY" ? "folder" : "file";
      })
    : known?.kind;
  if (kind === undefined) throw notFound("stat", name);
  if (kind === wanted) return;
  throw new ApiError(
    wanted === "file" ? `path ${name} is a directory, not a file` : `path ${name} is a file, not a directory`,
  );
}
