import { basename, join } from "node:path/posix";
import { folderAfter, isFreeOfLinks, isUnknown, knownAt, madeFolder } from "./known.ts";
import { gitignorePatterns } from "./gitignore.ts";
import { realPath } from "./real-path.ts";
import type { Call } from "../request/call.ts";
import type { CopyEdit, Directory, Edit, File, Owner, Tree } from "../values/values.ts";
import { edited } from "../values/rooted.ts";

export type FileEdit = Extract<Edit, { action: "write" | "copy-file" }>;

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
    const folder = folderOf(call, source, options, tree, path);
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
 * The permissions and owner of the folder that is copied are those of the destination afterwards, as on a Dagger engine: `/tmp` too.
 * Where recipes do not tell them, both sides are looked at, but not before the copy is needed.
 */
function folderOf(call: Call, source: Directory, options: CopyOptions, tree: Tree, path: string): CopyEdit["folder"] {
  const { hostTrees } = call.session;
  const there = knownAt(hostTrees, tree, path);
  const isOpen = isFreeOfLinks(tree);
  if (there === undefined && isOpen) return "new";
  // Links in the destination lead elsewhere what goes through them.
  if (isUnknown(there) || (there !== undefined && !isOpen)) return "like";
  if (path === "/") return undefined;
  const asked = { mode: options.permissions ?? undefined, owner: options.ownerIds };
  const like = knownAt(hostTrees, source.tree, source.path);
  if (like === undefined || isUnknown(like)) return "like";
  return folderAfter(there ?? madeFolder, like, asked);
}

export function copyFile(call: Call, source: File, options: CopyOptions): (tree: Tree, path: string) => Tree {
  const file = { source: source.tree, sourcePath: source.path, ...attributes(options) };
  return (tree, path) => putFile(call, tree, { action: "copy-file", path, ...file });
}

/** A file put where a link or a folder may be: a link gives way, and into a folder it goes under its own name. */
export function putFile(call: Call, tree: Tree, edit: FileEdit): Tree {
  const there = knownAt(call.session.hostTrees, tree, edit.path);
  if (isUnknown(there)) return edited(tree, { ...edit, looked: "put" });
  return edited(tree, there?.kind === "folder" ? { ...edit, path: join(edit.path, nameOf(edit)) } : edit);
}

/** What a file is called in a folder that it is put into. */
export function nameOf(edit: FileEdit): string {
  return basename(edit.action === "write" ? edit.path : edit.sourcePath);
}

function attributes({ permissions, ownerIds }: CopyOptions): { mode?: number; owner?: Owner } {
  return {
    ...(permissions === undefined || permissions === null ? {} : { mode: permissions }),
    ...(ownerIds === undefined ? {} : { owner: ownerIds }),
  };
}
