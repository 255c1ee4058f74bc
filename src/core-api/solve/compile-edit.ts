import path from "node:path/posix";
import { file as writeFile, scratch, type CopyAction, type FileAction, type State } from "../../llb/index.ts";
import { escapePattern } from "../tree/remove.ts";
import { relativeTo } from "../values/paths.ts";
import type { CopyEdit, Edit, Owner, Tree } from "../values/values.ts";
import type { FileEdit } from "../tree/copy.ts";
import { chosenOf, type CopyDestination, type FileDestination, type FolderCopy } from "./destinations.ts";

/**
 * New files get the time at which they are written, as on a Dagger engine. Build tools such as make and cargo compare
 * times and would miss an edit with a pinned one. Content digests do not include times.
 */
const now = -1n;

const everything = ["**"];

/**
 * Translates edits to the actions of one file operation. Parent folders are created where an edit needs them, each
 * once.
 */
export function fileActions(
  edits: readonly Edit[],
  stateOf: (tree: Tree) => State,
  destinationOf: (edit: FolderCopy) => CopyDestination = ({ folder }) => ({ folder }),
  fileDestinationOf: (edit: FileEdit) => FileDestination = () => ({}),
): FileAction[] {
  const actions: FileAction[] = [];
  const made = new Set(["/"]);
  const makeParents = (name: string): void => {
    const parent = path.dirname(name);
    if (made.has(parent)) return;
    actions.push({ kind: "mkdir", path: parent, mode: 0o755, makeParents: true, timestampNs: now });
    for (let folder = parent; !made.has(folder); folder = path.dirname(folder)) made.add(folder);
  };
  /** Prepares the path for a file. */
  const clear = (name: string, { folder, replacesLink }: FileDestination): void => {
    if (replacesLink === true) actions.push({ kind: "rm", path: name });
    if (folder === undefined) makeParents(name);
  };
  for (const edit of edits) {
    switch (edit.action) {
      case "write": {
        const look = fileDestinationOf(edit);
        clear(edit.path, look);
        actions.push(...writing(edit, look));
        break;
      }
      case "mkdir":
        // Missing parents get the same permissions, as on a Dagger engine.
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
        clear(edit.path, fileDestinationOf(edit));
        actions.push({
          ...copyAction({ ...edit, ...fileDestinationOf(edit).kept }, stateOf(edit.source)),
          followSymlinks: true,
        });
        break;
      case "copy-directory":
        // BuildKit gives parents that a copy creates the copy's mode and owner, so create them separately.
        makeParents(edit.path);
        actions.push(...folderCopies(edit, stateOf, destinationOf(edit)));
        break;
    }
  }
  return actions;
}

/**
 * Returns the actions that write a file. BuildKit's mkfile does not set set-id bits when it overwrites a file, while a
 * Dagger engine keeps them; a copy does set them.
 */
function writing(edit: Edit & { action: "write" }, { folder, kept }: FileDestination): FileAction[] {
  const { mode, owner } = { mode: edit.mode, owner: edit.owner, ...kept };
  const file = { kind: "mkfile", content: edit.contents, mode, owner: ownerText(owner), timestampNs: now } as const;
  if (folder !== undefined) {
    const inside = path.join(folder, path.basename(edit.path));
    return [
      { kind: "rm", path: inside },
      { ...file, path: inside },
    ];
  }
  if ((mode & 0o7000) === 0 || kept === undefined) return [{ ...file, path: edit.path }];
  const aside = { kind: "copy", source: "/file", destination: edit.path, mode, owner: file.owner } as const;
  return [{ ...aside, from: writeFile(scratch, [{ ...file, path: "/file" }]), alwaysReplaceExistingDestPaths: true }];
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
    // Folders keep their set-group-id bit.
    ...(edit.dropSetuid === true ? { modeText: edit.action === "copy-file" ? "u-s,g-s" : "u-s" } : {}),
    owner: ownerText(edit.owner),
    ...(edit.timestampSec === undefined ? {} : { timestampNs: BigInt(edit.timestampSec) * 1_000_000_000n }),
  };
}

/**
 * Returns the copy of a folder, and an additional copy for each part that goes into a folder behind a symbolic link.
 */
function folderCopies(
  edit: FolderCopy,
  stateOf: (tree: Tree) => State,
  { folder, links = [] }: CopyDestination,
): CopyAction[] {
  const isPlain = edit.include.length + edit.exclude.length === 0;
  const whole = {
    ...copyAction(edit, stateOf(edit.source)),
    // A source that is a link means the folder that it leads to. With patterns, the link has been resolved before.
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
 * Reports whether an edit copies all of a host tree. BuildKit's key for such a copy includes the permissions of the
 * tree's root only once a command has had the tree mounted writable, so equal trees would get different keys. A copy by
 * pattern leaves the root out.
 */
function isWholeHostTree(edit: Edit & { action: "copy-directory" }): boolean {
  return edit.source.kind === "host" && edit.sourcePath === "/" && edit.include.length + edit.exclude.length === 0;
}

function ownerText(owner: Owner | undefined): string | undefined {
  return owner === undefined ? undefined : `${owner.uid}:${owner.gid}`;
}
