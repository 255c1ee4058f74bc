import { lstatSync, readdirSync, readlinkSync, realpathSync, type BigIntStats, type Dirent } from "node:fs";
import { UserError } from "../errors/index.ts";
import { compileFilter, type CompiledFilter, type FolderState } from "./selection.ts";
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
  const walk = new Walk(realRoot, selections);
  walk.run();
  return {
    listing: { root: realRoot, entries: walk.entries, unreadable: walk.unreadable },
    selections: walk.selected.map((indices) => Uint32Array.from(indices)),
    folders: walk.folders,
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
  emittedFor: Set<number>;
}

/** A selection whose root is this folder or above it. */
interface Active {
  selection: number;
  state: FolderState;
}

class Walk {
  readonly entries: TreeEntry[] = [];
  readonly unreadable: TreeListing["unreadable"] = [];
  readonly folders: ScannedFolder[] = [];
  readonly selected: number[][];
  private readonly root: string;
  private readonly filters: CompiledFilter[];
  /** Length of each selection's own root with its slash, to cut it off. */
  private readonly cuts: number[];
  /** Selections by their own root: a walk with a thousand of them asks each only below its root. */
  private readonly starting = new Map<string, number[]>();
  /** Folders on the way to a selection's root. */
  private readonly leading = new Set<string>();

  constructor(root: string, selections: readonly TreeSelection[]) {
    this.root = root;
    this.selected = selections.map(() => []);
    this.cuts = selections.map(({ path }) => (path === "" ? 0 : path.length + 1));
    this.filters = selections.map(({ path, filter }) => compileFilter(path === "" ? root : `${root}/${path}`, filter ?? {}));
    selections.forEach(({ path }, index) => {
      const others = this.starting.get(path);
      if (others === undefined) this.starting.set(path, [index]);
      else others.push(index);
      for (let slash = path.indexOf("/"); slash > 0; slash = path.indexOf("/", slash + 1)) {
        this.leading.add(path.slice(0, slash));
      }
    });
  }

  run(): void {
    this.folders.push({ path: "", inode: lstatSync(this.root, { bigint: true }).ino });
    this.enter(this.root, "", undefined, this.startingAt(""));
  }

  private startingAt(path: string): Active[] {
    const starting = this.starting.get(path) ?? [];
    return starting.map((selection) => ({ selection, state: this.filters[selection]!.rootState() }));
  }

  private enter(directory: string, folder: string, frame: Frame | undefined, active: Active[]): void {
    let children: Dirent[];
    try {
      children = readdirSync(directory, { withFileTypes: true });
    } catch (error) {
      if (!hasVanished(error)) this.unreadable.push({ path: folder, reason: reasonOf(error) });
      return;
    }
    sortByNameBytes(children);
    if (active.length > 0 && children.some((child) => child.name === ".gitignore")) {
      active = active.map(({ selection, state }) => {
        const path = folder.slice(this.cuts[selection]);
        return { selection, state: this.filters[selection]!.withGitignoreOf(directory, path, state) };
      });
    }
    for (const child of children) {
      const childPath = folder === "" ? child.name : `${folder}/${child.name}`;
      if (child.isDirectory()) this.folder(directory, child.name, childPath, frame, active);
      else if (child.isFile() || child.isSymbolicLink()) this.file(directory, child.name, childPath, frame, active);
    }
  }

  private folder(parentDirectory: string, name: string, path: string, parent: Frame | undefined, active: Active[]): void {
    const inside = this.startingAt(path);
    const chosen: number[] = [];
    for (const { selection, state } of active) {
      const next = this.filters[selection]!.enterFolder(path.slice(this.cuts[selection]), state);
      if (next?.selected === true) chosen.push(selection);
      if (next?.enter === true) inside.push({ selection, state: next });
    }
    const leads = this.leading.has(path);
    if (chosen.length === 0 && inside.length === 0 && !leads) return;
    const directory = `${parentDirectory}/${name}`;
    const entry = this.stat(directory, path, "directory");
    if (entry === undefined) return;
    const frame: Frame = { parent, entry, unionIndex: -1, emittedFor: new Set() };
    for (const selection of chosen) this.emitFolder(frame, selection);
    if (inside.length === 0 && !leads) return;
    this.folders.push({ path, inode: entry.inode });
    this.enter(directory, path, frame, inside);
  }

  private file(directory: string, name: string, path: string, parent: Frame | undefined, active: Active[]): void {
    const chosen = [...(this.starting.get(path) ?? [])];
    for (const { selection, state } of active) {
      if (this.filters[selection]!.selectsFile(path.slice(this.cuts[selection]), state)) chosen.push(selection);
    }
    if (chosen.length === 0) return;
    const entry = this.stat(`${directory}/${name}`, path, "file");
    if (entry === undefined) return;
    this.emitUnion(parent);
    const unionIndex = this.entries.push(entry) - 1;
    for (const selection of chosen) {
      if (parent !== undefined) this.emitFolder(parent, selection);
      this.selected[selection]!.push(unionIndex);
    }
  }

  /** Puts a folder and its parents into the union, the outermost first. */
  private emitUnion(frame: Frame | undefined): void {
    if (frame === undefined || frame.unionIndex >= 0) return;
    this.emitUnion(frame.parent);
    frame.unionIndex = this.entries.push(frame.entry) - 1;
  }

  private emitFolder(frame: Frame, selection: number): void {
    if (frame.emittedFor.has(selection)) return;
    frame.emittedFor.add(selection);
    if (frame.parent !== undefined) this.emitFolder(frame.parent, selection);
    this.emitUnion(frame);
    // A selection's own root and the folders above it belong to the union only.
    if (frame.entry.path.length >= this.cuts[selection]!) this.selected[selection]!.push(frame.unionIndex);
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
