import { gitignorePatterns } from "./gitignore.ts";
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
export async function copyDirectory(call: Call, source: Directory, options: CopyOptions): Promise<(tree: Tree, path: string) => Tree> {
  const { include = [], exclude = [], permissions, ownerIds } = options;
  const ignored = options.gitignore === true ? await gitignorePatterns(call, source) : [];
  const plain = include.length === 0 && exclude.length === 0 && ignored.length === 0;
  const unchanged = plain && (permissions ?? undefined) === undefined && ownerIds === undefined;
  // BuildKit hashes nothing of a linked folder of which patterns choose a part, so that its content would be in no key.
  const sourcePath = plain ? source.path : await realPath(call, source);
  return (tree, path) => {
    if (unchanged && tree.kind === "scratch" && path === "/" && source.path === "/") return source.tree;
    return edited(tree, {
      action: "copy-directory",
      source: source.tree,
      sourcePath,
      path,
      include,
      exclude: [...ignored, ...exclude],
      ...attributes(options),
    });
  };
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
