import path from "node:path/posix";
import type { CopyAction, FileAction, State } from "../../llb/index.ts";
import { escapePattern } from "../tree/remove.ts";
import { relativeTo } from "../values/paths.ts";
import type { CopyEdit, Edit, Owner, Tree } from "../values/values.ts";
import { chosenOf, type CopyLook, type FolderCopy } from "./looks.ts";

/**
 * New files carry the time at which they were written, as on a Dagger engine: build tools (make, cargo) compare times, a
 * pinned one would make them miss an edit. Content digests leave times out.
 */
const now = -1n;

const everything = ["**"];

/** Edits as actions of one file operation. Parents are made where an edit needs them, each once. */
export function fileActions(
  edits: readonly Edit[],
  stateOf: (tree: Tree) => State,
  lookOf: (edit: FolderCopy) => CopyLook = ({ folder }) => ({ folder }),
): FileAction[] {
  const actions: FileAction[] = [];
  const made = new Set(["/"]);
  const makeParents = (name: string): void => {
    const parent = path.dirname(name);
    if (made.has(parent)) return;
    actions.push({ kind: "mkdir", path: parent, mode: 0o755, makeParents: true, timestampNs: now });
    for (let folder = parent; !made.has(folder); folder = path.dirname(folder)) made.add(folder);
  };
  for (const edit of edits) {
    switch (edit.action) {
      case "write":
        makeParents(edit.path);
        actions.push({
          kind: "mkfile",
          path: edit.path,
          content: edit.contents,
          mode: edit.mode,
          owner: ownerText(edit.owner),
          timestampNs: now,
        });
        break;
      case "mkdir":
        // Parents that are missing get the same permissions, as on a Dagger engine.
        actions.push({
          kind: "mkdir",
          path: edit.path,
          mode: edit.mode,
          owner: ownerText(edit.owner),
          timestampNs: now,
        });
        for (let folder = edit.path; !made.has(folder); folder = path.dirname(folder)) made.add(folder);
        break;
      case "empty":
        actions.push({
          kind: "mkfile",
          path: edit.path,
          content: "",
          mode: 0o600,
          owner: edit.user,
          timestampNs: now,
        });
        break;
      case "remove":
        actions.push({ kind: "rm", path: edit.path, allowNotFound: true, allowWildcard: edit.pattern });
        made.clear();
        made.add("/");
        break;
      case "symlink":
        makeParents(edit.path);
        actions.push({ kind: "symlink", path: edit.path, target: edit.target, timestampNs: now });
        break;
      case "copy-file":
        makeParents(edit.path);
        actions.push({ ...copyAction(edit, stateOf(edit.source)), followSymlinks: true });
        break;
      case "copy-directory":
        // BuildKit gives parents that a copy makes the copy's own mode and owner.
        makeParents(edit.path);
        actions.push(...folderCopies(edit, stateOf, lookOf(edit)));
        break;
    }
  }
  return actions;
}

function copyAction(edit: Edit & { action: "copy-file" | "copy-directory" }, from: State): CopyAction {
  return {
    kind: "copy",
    ...(edit.unpack === true ? { attemptUnpack: true } : {}),
    from,
    source: edit.sourcePath,
    destination: edit.path,
    createDestPath: true,
    alwaysReplaceExistingDestPaths: true,
    mode: edit.mode,
    ...(edit.dropSetuid === true ? { modeText: "u-s" } : {}),
    owner: ownerText(edit.owner),
    ...(edit.timestampSec === undefined ? {} : { timestampNs: BigInt(edit.timestampSec) * 1_000_000_000n }),
  };
}

/** The copy of a folder, and one more for each part of it that goes into a folder which a link leads to. */
function folderCopies(
  edit: FolderCopy,
  stateOf: (tree: Tree) => State,
  { folder, links = [] }: CopyLook,
): CopyAction[] {
  const isPlain = edit.include.length + edit.exclude.length === 0;
  const whole = {
    ...copyAction(edit, stateOf(edit.source)),
    // A folder that was reached through a link is what the link leads to. Where patterns choose, it was followed before.
    followSymlinks: isPlain && !isWholeHostTree(edit),
    ...folderActions(folder),
    include: isWholeHostTree(edit) ? everything : edit.include,
    exclude: edit.exclude,
  };
  if (links.length === 0) return [whole];
  const chosen = chosenOf(edit);
  const from = stateOf(chosen.tree);
  const apart = (below: string): string[] =>
    links.flatMap((link) => {
      const inside = relativeTo(below === "" ? "/" : `/${below}`, `/${link.below}`);
      return inside === undefined || inside === "" ? [] : [escapePattern(inside)];
    });
  return [
    { ...whole, from, source: chosen.path, include: everything, exclude: apart(""), followSymlinks: false },
    ...links.map(({ below, at, mode, owner }) => ({
      ...whole,
      from,
      source: path.join(chosen.path, below),
      destination: at,
      include: everything,
      exclude: apart(below),
      followSymlinks: false,
      ...folderActions({ mode, owner }),
    })),
  ];
}

function folderActions(folder: CopyEdit["folder"]): Pick<CopyAction, "dirCopyContents" | "folder"> {
  if (folder === "new") return { dirCopyContents: false };
  if (typeof folder !== "object") return { dirCopyContents: true };
  return { dirCopyContents: true, folder: { mode: folder.mode, owner: ownerText(folder.owner)!, at: folder.at } };
}

/**
 * Whether all of a tree of the host is copied. BuildKit's key of such a copy would hold the permissions of the tree's root only
 * from when a command has had the tree mounted to write to it: equal trees would differ. Where patterns choose, the root is left out.
 */
function isWholeHostTree(edit: Edit & { action: "copy-directory" }): boolean {
  return edit.source.kind === "host" && edit.sourcePath === "/" && edit.include.length + edit.exclude.length === 0;
}

function ownerText(owner: Owner | undefined): string | undefined {
  return owner === undefined ? undefined : `${owner.uid}:${owner.gid}`;
}
