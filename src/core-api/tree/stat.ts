import path from "node:path/posix";
import { kindOf, notFound, withTree, type FileKind } from "./read.ts";
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

/** @param shown how the user called the path, for the error */
export async function statIn(call: Call, tree: Tree, name: string, shown: string, follow: boolean): Promise<Stat> {
  if (shown === "") throw notFound("stat", shown);
  const stat = await withTree(call, tree, (reader) => reader.stat(name, follow, "throws"));
  if (stat === undefined) throw notFound("stat", shown);
  const fileType = kindOf(stat);
  return {
    type: "Stat",
    size: fileType === "SYMLINK" ? Buffer.byteLength(stat.linkname) : stat.sizeBytes,
    // A link that was followed has the name of what it leads to.
    name: path.basename(follow ? stat.path : name),
    fileType,
    permissions: stat.mode & 0o777,
  };
}
