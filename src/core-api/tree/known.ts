import path from "node:path/posix";
import type { HostTrees } from "../host/trees.ts";
import { relativeTo } from "../values/paths.ts";
import type { Edit, Owner, Tree } from "../values/values.ts";

/** What a tree's recipe shows about a path. Permissions exclude set-id bits. */
export interface Known {
  readonly kind: "folder" | "file";
  readonly mode: number;
  readonly owner: Owner;
}

const root: Owner = { uid: 0, gid: 0 };
/** A folder with default attributes. */
export const madeFolder: Known = { kind: "folder", mode: 0o755, owner: root };

/** The recipe does not show what is there: evaluate this tree and look at this path. */
export interface Unknown {
  readonly tree: Tree;
  readonly path: string;
  /** Later edits created a folder there, in case the tree has nothing at the path. */
  readonly made?: boolean;
}

/**
 * Returns what is at a path, without evaluating anything: `undefined` when nothing is there, and `Unknown` when the
 * recipe does not show it or links are on the way.
 */
export function knownAt(hosts: HostTrees, tree: Tree, name: string): Known | Unknown | undefined {
  let made = false;
  const found = (known: Known | Unknown | undefined): Known | Unknown | undefined => {
    if (known === undefined) return made ? madeFolder : undefined;
    return made && isUnknown(known) ? { ...known, made } : known;
  };
  for (let base = tree; ;) {
    switch (base.kind) {
      case "scratch":
        return found(name === "/" ? madeFolder : undefined);
      case "host":
        return found(name === "/" ? madeFolder : hosts.entryAt(base, name));
      case "fixed":
        base = base.tree;
        continue;
      case "edit": {
        const { edit } = base;
        if (edit.action === "remove") {
          if (edit.pattern === true) return found({ tree: base, path: name });
          if (relativeTo(edit.path, name) !== undefined) return found(undefined);
        } else if (relativeTo(edit.path, name) !== undefined) {
          const effect = effectOf(hosts, base.base, edit, name);
          if (effect !== "none") return found(effect === "unknown" ? { tree: base, path: name } : effect);
        } else if (relativeTo(name, edit.path) !== undefined) {
          made = true;
        }
        base = base.base;
        continue;
      }
      default:
        return found(name === "/" ? madeFolder : { tree: base, path: name });
    }
  }
}

export function isUnknown(known: Known | Unknown | undefined): known is Unknown {
  return known !== undefined && "tree" in known;
}

/** Returns what an edit at or above `name` makes of it; `none` when the edit does not affect it. */
function effectOf(
  hosts: HostTrees,
  base: Tree,
  edit: Exclude<Edit, { action: "remove" }>,
  name: string,
): Known | "unknown" | "none" {
  const inside = name !== edit.path;
  if ("looked" in edit && edit.looked !== undefined) return "unknown";
  switch (edit.action) {
    case "write":
      return inside ? "unknown" : { kind: "file", mode: edit.mode & 0o777, owner: edit.owner ?? root };
    case "mkdir": {
      if (inside) return "none";
      const before = knownAt(hosts, base, name);
      if (before !== undefined) return isUnknown(before) ? "unknown" : before;
      return { kind: "folder", mode: edit.mode & 0o777, owner: edit.owner ?? root };
    }
    case "copy-file": {
      const source = inside || edit.unpack === true ? undefined : knownAt(hosts, edit.source, edit.sourcePath);
      if (source === undefined || isUnknown(source) || source.kind !== "file") return "unknown";
      return { ...source, mode: edit.mode ?? source.mode, owner: edit.owner ?? source.owner };
    }
    case "copy-directory": {
      if (edit.path === name) return name === "/" ? madeFolder : "unknown";
      if (edit.include.length + edit.exclude.length > 0) return "unknown";
      const source = knownAt(hosts, edit.source, path.join(edit.sourcePath, relativeTo(edit.path, name)!));
      if (source === undefined) return "none";
      return isUnknown(source)
        ? "unknown"
        : { ...source, mode: edit.mode ?? source.mode, owner: edit.owner ?? source.owner };
    }
    case "symlink":
    case "empty":
      return "unknown";
  }
}

/**
 * Returns the attributes of an existing folder after another one, with the given mode and owner, is copied to it.
 * `undefined` means unchanged.
 */
export function folderAfter(
  there: Known,
  copied: Known,
  asked: { mode?: number; owner?: Owner },
): { mode: number; owner: Owner } | undefined {
  const after = { mode: asked.mode ?? copied.mode, owner: asked.owner ?? copied.owner };
  const { uid, gid } = there.owner;
  const isSame = there.mode === after.mode && uid === after.owner.uid && gid === after.owner.gid;
  return there.kind === "folder" && !isSame ? after : undefined;
}

/** Reports whether a recipe builds a tree from scratch without links, so that each path means exactly one place. */
export function isFreeOfLinks(tree: Tree): boolean {
  let base = tree;
  while (base.kind === "edit" && base.edit.action !== "symlink" && base.edit.action !== "copy-directory")
    base = base.base;
  return base.kind === "scratch";
}
