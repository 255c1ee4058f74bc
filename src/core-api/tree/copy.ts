import { isFreeOfLinks, isUnknown, knownAt, madeFolder } from "./known.ts";
import { gitignorePatterns } from "./gitignore.ts";
import { kindOf, withTree } from "./read.ts";
import { realPath } from "./real-path.ts";
import type { Call } from "../request/call.ts";
import { type CopyEdit, type Directory, type File, type Owner, type Tree } from "../values/values.ts";
import { edited } from "../values/rooted.ts";

export interface CopyOptions {
  include?: string[];
  exclude?: string[];
  gitignore?: boolean;
  permissions?: number | null;
  owner?: string;
  ownerIds?: Owner;
}

/** Puts the content of a directory at a path of a tree. Nothing is copied where the result is the source itself. */
export async function copyDirectory(
  call: Call,
  source: Directory,
  options: CopyOptions,
): Promise<(tree: Tree, path: string) => Tree | Promise<Tree>> {
  const { include = [], exclude = [], permissions, ownerIds } = options;
  const ignored = options.gitignore === true ? await gitignorePatterns(call, source) : [];
  const plain = include.length === 0 && exclude.length === 0 && ignored.length === 0;
  const unchanged = plain && (permissions ?? undefined) === undefined && ownerIds === undefined;
  // BuildKit hashes nothing of a linked folder of which patterns choose a part, so that its content would be in no key.
  const sourcePath = plain ? source.path : await realPath(call, source);
  return async (tree, path) => {
    if (unchanged && tree.kind === "scratch" && path === "/" && source.path === "/") return source.tree;
    const folder = path === "/" ? undefined : await folderOf(call, source, options, tree, path);
    return edited(tree, {
      action: "copy-directory",
      source: source.tree,
      sourcePath,
      path,
      include,
      exclude: [...ignored, ...exclude],
      ...attributes(options),
      ...(folder === undefined ? {} : { folder }),
    });
  };
}

/**
 * The permissions and owner of the folder that is copied are those of the destination afterwards, as on a Dagger engine. The
 * destination is looked at only where that can decide something: an owner or permissions are asked for, or the folder is known to
 * have others than a made one. Else one that is there keeps its own, so that `/tmp` stays what it is.
 */
async function folderOf(
  call: Call,
  source: Directory,
  options: CopyOptions,
  tree: Tree,
  path: string,
): Promise<CopyEdit["folder"]> {
  const { hostTrees } = call.session;
  const there = knownAt(hostTrees, tree, path);
  if (there === undefined && isFreeOfLinks(tree)) return "new";
  const wanted = knownAt(hostTrees, source.tree, source.path);
  const like = wanted === undefined || isUnknown(wanted) ? madeFolder : wanted;
  const folder = { mode: options.permissions ?? like.mode, owner: options.ownerIds ?? like.owner };
  const asked = options.ownerIds !== undefined || (options.permissions ?? undefined) !== undefined;
  if (!isUnknown(there))
    return (there === undefined || there.kind === "folder") && !isSame(there ?? madeFolder, folder)
      ? folder
      : undefined;
  if (!asked && isSame(like, madeFolder)) return undefined;
  const stat = await withTree(call, there.tree, (reader) => reader.stat(there.path, false));
  return stat === undefined || kindOf(stat) === "DIRECTORY" ? folder : undefined;
}

function isSame(a: { mode: number; owner: Owner }, b: { mode: number; owner: Owner }): boolean {
  return a.mode === b.mode && a.owner.uid === b.owner.uid && a.owner.gid === b.owner.gid;
}

export function copyFile(source: File, options: CopyOptions): (tree: Tree, path: string) => Tree {
  return (tree, path) =>
    edited(tree, { action: "copy-file", source: source.tree, sourcePath: source.path, path, ...attributes(options) });
}

function attributes({ permissions, ownerIds }: CopyOptions): { mode?: number; owner?: Owner } {
  return {
    ...(permissions === undefined || permissions === null ? {} : { mode: permissions }),
    ...(ownerIds === undefined ? {} : { owner: ownerIds }),
  };
}
