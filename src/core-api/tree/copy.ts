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

/**
 * Returns a function that copies a directory's content to a path of a tree. If the result equals the source's own tree,
 * that tree is returned without a copy.
 */
export async function copyDirectory(
  call: Call,
  source: Directory,
  options: CopyOptions,
): Promise<(tree: Tree, path: string) => Tree | Promise<Tree>> {
  const { include = [], exclude = [], permissions, ownerIds } = options;
  const ignored = options.gitignore === true ? await gitignorePatterns(call, source) : [];
  const plain = include.length === 0 && exclude.length === 0 && ignored.length === 0;
  const unchanged = plain && (permissions ?? undefined) === undefined && ownerIds === undefined;
  // Follow the source's links here: BuildKit does not hash a linked folder from which patterns select a part, so no
  // cache key would cover its content.
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
 * Returns the attributes of the destination folder. As on a Dagger engine, it gets the copied folder's permissions and
 * owner, even if it is `/tmp`. Where recipes do not show them, both sides are inspected later, when the copy is needed.
 */
function folderOf(call: Call, source: Directory, options: CopyOptions, tree: Tree, path: string): CopyEdit["folder"] {
  const { hostTrees } = call.session;
  const there = knownAt(hostTrees, tree, path);
  const isOpen = isFreeOfLinks(tree);
  if (there === undefined && isOpen) return "new";
  // With links in the destination, paths through them lead elsewhere.
  if (isUnknown(there) || (there !== undefined && !isOpen)) return "like";
  if (path === "/") return undefined;
  const asked = { mode: options.permissions ?? undefined, owner: options.ownerIds };
  const like = knownAt(hostTrees, source.tree, source.path);
  if (like === undefined || isUnknown(like)) return "like";
  return folderAfter(there ?? madeFolder, like, asked);
}

/** Returns a function that copies a file to a path of a tree. */
export function copyFile(call: Call, source: File, options: CopyOptions): (tree: Tree, path: string) => Tree {
  const file = { source: source.tree, sourcePath: source.path, ...attributes(options) };
  return (tree, path) => putFile(call, tree, { action: "copy-file", path, ...file });
}

/** Puts a file where a link or a folder may be: it replaces a link, and goes into a folder under its own name. */
export function putFile(call: Call, tree: Tree, edit: FileEdit): Tree {
  const there = knownAt(call.session.hostTrees, tree, edit.path);
  if (isUnknown(there)) return edited(tree, { ...edit, looked: "put" });
  return edited(tree, there?.kind === "folder" ? { ...edit, path: join(edit.path, nameOf(edit)) } : edit);
}

/** Returns a file's name in a folder that it is put into. */
export function nameOf(edit: FileEdit): string {
  return basename(edit.action === "write" ? edit.path : edit.sourcePath);
}

function attributes({ permissions, ownerIds }: CopyOptions): { mode?: number; owner?: Owner } {
  return {
    ...(permissions === undefined || permissions === null ? {} : { mode: permissions }),
    ...(ownerIds === undefined ? {} : { owner: ownerIds }),
  };
}
