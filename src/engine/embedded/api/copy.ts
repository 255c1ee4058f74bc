import { isFreeOfLinks, isUnknown, knownAt, type Known } from "./known.ts";
import { gitignorePatterns } from "./gitignore.ts";
import { kindOf, withTree } from "./read.ts";
import { realPath } from "./real-path.ts";
import type { Call } from "./session.ts";
import { edited, type Directory, type File, type Owner, type Tree } from "./values.ts";

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
 * Whether the destination takes the source folder's permissions and owner over, as it does on a Dagger engine. What only an
 * evaluation tells is looked up where it decides: an owner or permissions are asked for, or the folder is known to have others
 * than a made one. Else a folder that is there keeps its own (`/tmp` stays what it is).
 */
async function folderOf(call: Call, source: Directory, options: CopyOptions, tree: Tree, path: string): Promise<"new" | "over" | undefined> {
  const { hostTrees } = call.session;
  const there = knownAt(hostTrees, tree, path);
  if (there === undefined && isFreeOfLinks(tree)) return "new";
  const asked = options.ownerIds !== undefined || (options.permissions ?? undefined) !== undefined;
  const wanted = knownAt(hostTrees, source.tree, source.path);
  const special = asked || isUnknown(wanted) || !isMade(wanted);
  if (!isUnknown(there)) return (there === undefined ? special : there.kind === "folder" && (special || !isMade(there))) ? "over" : undefined;
  const worthwhile = asked || (special && (!isUnknown(wanted) || there.tree.kind === "image"));
  if (!worthwhile) return undefined;
  const stat = await withTree(call, there.tree, (reader) => reader.stat(there.path, false));
  return stat === undefined || kindOf(stat) === "DIRECTORY" ? "over" : undefined;
}

function isMade(known: Known | undefined): boolean {
  return known?.mode === 0o755 && known.owner.uid === 0 && known.owner.gid === 0;
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
