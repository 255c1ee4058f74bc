import { lstatSync, readdirSync, readlinkSync, realpathSync, type BigIntStats, type Dirent } from "node:fs";
import { UserError } from "../errors/index.ts";
import { compileSelection, type FolderState, type CompiledSelection } from "./selection.ts";
import type { TreeEntry, TreeFilter, TreeListing } from "./types.ts";

/** A part of a tree: what `filter` leaves of the folder at `path` (relative to the scanned root), or one file. */
export interface TreeSelection {
  path: string;
  filter?: TreeFilter;
}

/** One walk for many selections: the union of what they select, and for each the indices of its entries. */
export interface TreeScan {
  listing: TreeListing;
  selections: Uint32Array[];
  /** Every folder that was entered, the root ("") first: what a watcher has to look at, and nothing else. */
  folders: ScannedFolder[];
}

/** A folder and which one it was: a name can pass to another folder. */
export interface ScannedFolder {
  path: string;
  inode: bigint;
}

/** What `filter` leaves of a host folder. Symlinks are listed, not followed; sockets, pipes and devices are left out. */
export function listTree(root: string, filter?: TreeFilter): TreeListing {
  return scanTree(root, [{ path: "", filter }]).listing;
}

/** Walks once however many selections there are; a folder that none of them can want is never entered. */
export function scanTree(root: string, selections: readonly TreeSelection[]): TreeScan {
  const realRoot = realFolder(root);
  const walk = new Walk(selections.map((selection) => compileSelection(realRoot, selection)));
  walk.folders.push({ path: "", inode: lstatSync(realRoot, { bigint: true }).ino });
  walk.enter(realRoot, "", undefined, walk.rootStates());
  return {
    folders: walk.folders,
    listing: { root: realRoot, entries: walk.entries, unreadable: walk.unreadable },
    selections: walk.selected.map((indices) => Uint32Array.from(indices)),
  };
}

function realFolder(root: string): string {
  try {
    const real = realpathSync(root);
    if (lstatSync(real).isDirectory()) return real;
  } catch (cause) {
    throw new UserError("usage", "this folder cannot be read", { place: root, cause, detail: reasonOf(cause) });
  }
  throw new UserError("usage", "this is not a folder", { place: root });
}

/** A folder on the way down; emitted at the latest with the first of its children that a selection wants. */
interface Frame {
  parent: Frame | undefined;
  entry: TreeEntry;
  unionIndex: number;
  emittedFor: Uint8Array;
}

class Walk {
  readonly entries: TreeEntry[] = [];
  readonly unreadable: TreeListing["unreadable"] = [];
  readonly folders: ScannedFolder[] = [];
  readonly selected: number[][];
  private readonly selections: CompiledSelection[];

  constructor(selections: CompiledSelection[]) {
    this.selections = selections;
    this.selected = selections.map(() => []);
  }

  rootStates(): (FolderState | undefined)[] {
    return this.selections.map((selection) => selection.rootState());
  }

  enter(directory: string, folder: string, frame: Frame | undefined, states: (FolderState | undefined)[]): void {
    let children: Dirent[];
    try {
      children = readdirSync(directory, { withFileTypes: true });
    } catch (error) {
      if (!hasVanished(error)) this.unreadable.push({ path: folder, reason: reasonOf(error) });
      return;
    }
    sortByNameBytes(children);
    if (children.some((child) => child.name === ".gitignore")) {
      states = states.map((state, index) => state && this.selections[index]!.withGitignoreOf(directory, folder, state));
    }
    for (const child of children) {
      const childPath = folder === "" ? child.name : `${folder}/${child.name}`;
      if (child.isDirectory()) this.folder(directory, child.name, childPath, frame, states);
      else if (child.isFile() || child.isSymbolicLink()) this.file(directory, child.name, childPath, frame, states);
    }
  }

  private folder(
    parentDirectory: string,
    name: string,
    path: string,
    parent: Frame | undefined,
    states: (FolderState | undefined)[],
  ): void {
    let childStates: (FolderState | undefined)[] | undefined;
    for (let index = 0; index < states.length; index++) {
      const state = states[index];
      const next = state && this.selections[index]!.enterFolder(path, state);
      if (next === undefined) continue;
      childStates ??= new Array<FolderState | undefined>(states.length).fill(undefined);
      childStates[index] = next;
    }
    if (childStates === undefined) return;
    const directory = `${parentDirectory}/${name}`;
    const entry = this.stat(directory, path, "directory");
    if (entry === undefined) return;
    const frame: Frame = { parent, entry, unionIndex: -1, emittedFor: new Uint8Array(states.length) };
    let inside = false;
    for (let index = 0; index < childStates.length; index++) {
      const state = childStates[index];
      if (state === undefined) continue;
      if (state.selected) this.emitFolder(frame, index);
      inside ||= state.enter;
    }
    if (!inside) return;
    this.folders.push({ path, inode: entry.inode });
    this.enter(
      directory,
      path,
      frame,
      childStates.map((state) => (state?.enter === true ? state : undefined)),
    );
  }

  private file(
    directory: string,
    name: string,
    path: string,
    parent: Frame | undefined,
    states: (FolderState | undefined)[],
  ): void {
    let unionIndex = -1;
    for (let index = 0; index < states.length; index++) {
      const state = states[index];
      if (state === undefined || !this.selections[index]!.selectsFile(path, state)) continue;
      if (unionIndex < 0) {
        const entry = this.stat(`${directory}/${name}`, path, "file");
        if (entry === undefined) return;
        this.emitUnion(parent);
        unionIndex = this.entries.push(entry) - 1;
      }
      if (parent !== undefined) this.emitFolder(parent, index);
      this.selected[index]!.push(unionIndex);
    }
  }

  /** Puts a folder and its parents into the union, the outermost first. */
  private emitUnion(frame: Frame | undefined): void {
    if (frame === undefined || frame.unionIndex >= 0) return;
    this.emitUnion(frame.parent);
    frame.unionIndex = this.entries.push(frame.entry) - 1;
  }

  private emitFolder(frame: Frame, selection: number): void {
    if (frame.emittedFor[selection] === 1) return;
    frame.emittedFor[selection] = 1;
    if (frame.parent !== undefined) this.emitFolder(frame.parent, selection);
    this.emitUnion(frame);
    // The folders above a selection's own root belong to the union only.
    if (this.selections[selection]!.isInside(frame.entry.path)) this.selected[selection]!.push(frame.unionIndex);
  }

  private stat(absolute: string, path: string, expected: "file" | "directory"): TreeEntry | undefined {
    try {
      const stats = lstatSync(absolute, { bigint: true });
      const entry = entryOf(path, stats, absolute);
      // What was a folder a moment ago and is none now shows at the next look; here it would be listed without its type.
      return (entry?.type === "directory") === (expected === "directory") ? entry : undefined;
    } catch (error) {
      if (hasVanished(error) && !path.includes("\uFFFD")) return undefined;
      const reason = path.includes("\uFFFD") ? "its name is not valid UTF-8" : reasonOf(error);
      this.unreadable.push({ path, reason });
      return undefined;
    }
  }
}

/** One path as the listing holds it, or undefined where nothing (or nothing that belongs in a tree) is there. */
export function statEntry(root: string, path: string): TreeEntry | undefined {
  const absolute = path === "" ? root : `${root}/${path}`;
  const stats = lstatSync(absolute, { bigint: true, throwIfNoEntry: false });
  return stats && entryOf(path, stats, absolute);
}

function entryOf(path: string, stats: BigIntStats, absolute: string): TreeEntry | undefined {
  const type = stats.isFile() ? "file" : stats.isDirectory() ? "directory" : stats.isSymbolicLink() ? "symlink" : undefined;
  if (type === undefined) return undefined;
  const entry: TreeEntry = {
    path,
    type,
    mode: Number(stats.mode) & 0o7777,
    sizeBytes: type === "file" ? Number(stats.size) : 0,
    mtimeNs: stats.mtimeNs,
    ctimeNs: stats.ctimeNs,
    inode: stats.ino,
    uid: Number(stats.uid),
    gid: Number(stats.gid),
  };
  if (type === "symlink") entry.linkTarget = readlinkSync(absolute);
  return entry;
}

function sortByNameBytes(children: Dirent[]): void {
  // UTF-16 order is UTF-8 order but for surrogates against the few code points above them.
  const unusual = children.some((child) => /[\uD800-\uFFFF]/.test(child.name));
  if (unusual) children.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  else children.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function hasVanished(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === "ENOENT" || code === "ENOTDIR";
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
