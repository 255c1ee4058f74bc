import { readdirSync, type Dirent } from "node:fs";
import { sortByName } from "../diff.ts";
import { entriesInOrder, identityOf, namedEntry, type EarlierEntry } from "./entries.ts";
import { sameItems, statChild, type Active, type KnownFolder } from "./known-folder.ts";
import { hasVanished, isExhausted, reasonOf, tooManyFiles } from "./read-errors.ts";
import { compileFilter, type CompiledFilter } from "../rules/selection.ts";
import { sharingReads } from "../shared-reads.ts";
import type { StatAhead } from "./stat-ahead.ts";
import type { TreeEntry, TreeFilter, TreeListing } from "../types.ts";
import { frameOf, Union, type Frame } from "./union.ts";
import { currentRecorder } from "../../paths/index.ts";

/** A part of a tree: what `filter` selects of the folder at `path` (relative to the scanned root), or one file. */
export interface TreeSelection {
  path: string;
  filter?: TreeFilter;
}

/** A folder with its identity, as its name can pass to another folder. */
export interface ScannedFolder {
  path: string;
  /** Inode and creation time, as an inode number alone is given to the next folder that is created. */
  identity: bigint;
}

const none: readonly never[] = [];

/** Number of a folder's files that are read in one step. */
const childrenPerStep = 256;

export interface WalkResult {
  entries: TreeEntry[];
  unreadable: TreeListing["unreadable"];
  folders: ScannedFolder[];
  /** Entered folders that contain a `node_modules`, whether or not that was entered. */
  installed: string[];
  /** Links in entered folders that no selection wants. */
  passedLinks: string[];
  selected: number[][];
}

/** The walk itself, and what it knows of each folder for the next time. */
export class Walk {
  private readonly root: string;
  private readonly filters: CompiledFilter[];
  /** Length of each selection's own root with its slash, to cut it off. */
  private readonly cuts: number[];
  /** Selections by their own root, so that a walk with a thousand of them tests each only below its root. */
  private readonly starting = new Map<string, number[]>();
  /** Folders on the way to a selection's root. */
  private readonly leading = new Set<string>();
  /** Known folders by path; others are read. */
  private known = new Map<string, KnownFolder>();
  /** Earlier state of folders that are read again; unchanged entries are passed on as the same objects. */
  private outdated = new Map<string, KnownFolder>();
  private beforeRead: ((folder: ScannedFolder) => void) | undefined;
  private ahead: StatAhead | undefined;
  /** Reused for each file. */
  private readonly chosenNow: number[] = [];
  private keptLast: readonly number[] = none;
  private union = new Union([]);
  private result: Omit<WalkResult, "entries" | "selected"> = noResult();

  private readonly depth: "names" | "files";
  /** With "names", no file is read. */
  constructor(
    root: string,
    selections: readonly TreeSelection[],
    earlier: Walk | undefined,
    depth: "names" | "files" = "files",
  ) {
    this.root = root;
    this.depth = depth;
    if (earlier !== undefined) this.outdated = earlier.known;
    this.cuts = selections.map(({ path }) => (path === "" ? 0 : path.length + 1));
    this.filters = sharingReads(() =>
      selections.map(({ path, filter }) => compileFilter(path === "" ? root : `${root}/${path}`, filter ?? {})),
    );
    selections.forEach(({ path }, index) => {
      const others = this.starting.get(path);
      if (others === undefined) this.starting.set(path, [index]);
      else others.push(index);
      for (let slash = path.indexOf("/"); slash > 0; slash = path.indexOf("/", slash + 1)) {
        this.leading.add(path.slice(0, slash));
      }
    });
  }

  /** Reports whether the folder was entered. */
  knows(folder: string): boolean {
    return this.known.has(folder) || this.outdated.has(folder);
  }

  /** Forgets the folders that contain these paths, and the paths themselves if they are folders. */
  forget(changed: ReadonlySet<string>): void {
    for (const file of changed) {
      if (file !== this.root && !file.startsWith(`${this.root}/`)) continue;
      const path = file.slice(this.root.length + 1);
      for (const folder of [path, path.slice(0, Math.max(0, path.lastIndexOf("/")))]) {
        const known = this.known.get(folder);
        if (known === undefined) continue;
        this.outdated.set(folder, known);
        this.known.delete(folder);
      }
    }
  }

  run(...how: Parameters<Walk["steps"]>): WalkResult {
    const steps = this.steps(...how);
    for (;;) {
      const { done, value } = steps.next();
      if (done === true) return value;
    }
  }

  /** Walks folder by folder. A walk that is abandoned has changed nothing that others see. */
  *steps(
    identity: bigint,
    beforeRead?: (folder: ScannedFolder) => void,
    ahead?: StatAhead,
  ): Generator<void, WalkResult> {
    this.beforeRead = beforeRead;
    this.ahead = ahead;
    this.union = new Union(this.cuts);
    this.result = noResult();
    const before = this.known;
    this.known = new Map();
    this.result.folders.push({ path: "", identity });
    yield* this.enter(this.root, "", identity, undefined, this.startingAt(""), before);
    this.outdated = new Map();
    this.ahead?.stop();
    this.ahead = undefined;
    const { entries, selected } = this.union;
    return { ...this.result, entries, selected };
  }

  private startingAt(path: string): Active[] {
    return (this.starting.get(path) ?? none).map((selection) => ({
      selection,
      state: this.filters[selection]!.rootState(),
    }));
  }

  private *enter(
    directory: string,
    path: string,
    identity: bigint,
    frame: Frame | undefined,
    active: readonly Active[],
    before: ReadonlyMap<string, KnownFolder>,
  ): Generator<void> {
    let folder = before.get(path);
    if (folder?.identity !== identity)
      folder = yield* this.read(directory, path, identity, active, this.outdated.get(path));
    this.known.set(path, folder);
    yield;
    this.result.unreadable.push(...folder.unreadable);
    if (folder.hasInstalled) this.result.installed.push(path);
    for (const link of folder.passedLinks) this.result.passedLinks.push(link);
    for (let index = 0; index < folder.entries.length; index++) {
      const entry = folder.entries[index]!;
      const child = folder.wanted[index]!;
      if (!("enter" in child)) {
        this.union.addFile(entry, child, frame);
        continue;
      }
      const childFrame = frameOf(frame, entry);
      for (const selection of child.chosen) this.union.addFolder(childFrame, selection);
      if (!child.enter) continue;
      const childIdentity = identityOf(entry.inode, entry.birthtimeNs ?? 0n);
      this.result.folders.push({ path: entry.path, identity: childIdentity });
      yield* this.enter(`${this.root}/${entry.path}`, entry.path, childIdentity, childFrame, child.inside, before);
    }
  }

  private *read(
    directory: string,
    folder: string,
    identity: bigint,
    active: readonly Active[],
    outdated: KnownFolder | undefined,
  ): Generator<void, KnownFolder> {
    const known: KnownFolder = {
      identity,
      entries: [],
      wanted: [],
      unreadable: none,
      hasInstalled: false,
      passedLinks: none,
    };
    const earlier = outdated === undefined ? undefined : entriesInOrder(outdated.entries);
    this.beforeRead?.({ path: directory, identity });
    let children: Dirent[];
    try {
      children = readdirSync(directory, { withFileTypes: true });
    } catch (error) {
      if (isExhausted(error)) throw tooManyFiles(error, directory);
      if (!hasVanished(error)) known.unreadable = [{ path: folder, reason: reasonOf(error) }];
      currentRecorder()?.doubtful(`${directory} can't be read`);
      return known;
    }
    sortByName(children);
    const passedLinks: string[] = [];
    known.hasInstalled = children.some((child) => child.name === "node_modules");
    if (active.length > 0) active = this.withRulesOf(directory, folder, children, active);
    for (const [index, child] of children.entries()) {
      if (index % childrenPerStep === childrenPerStep - 1) yield;
      const path = folder === "" ? child.name : `${folder}/${child.name}`;
      if (child.isDirectory()) this.readFolder(directory, child.name, path, active, known, earlier);
      else if (child.isFile() || child.isSymbolicLink()) {
        const chosen = this.wanting(path, active);
        if (chosen.length === 0) {
          if (child.isSymbolicLink()) passedLinks.push(path);
          continue;
        }
        const entry =
          this.depth === "names"
            ? namedEntry(path, child)
            : statChild(`${directory}/${child.name}`, path, "file", known, earlier, this.ahead);
        if (entry === undefined) continue;
        known.entries.push(entry);
        known.wanted.push(this.kept(chosen));
      }
    }
    currentRecorder()?.folder(directory, children, known.entries);
    // Arrays that grew keep spare capacity; these stay unchanged, by the ten thousand.
    known.entries = known.entries.slice();
    known.wanted = known.wanted.slice();
    if (passedLinks.length > 0) known.passedLinks = passedLinks.slice();
    return known;
  }

  /** Applies a folder's own ignore file to the selections, and its being a repository. */
  private withRulesOf(
    directory: string,
    folder: string,
    children: readonly Dirent[],
    active: readonly Active[],
  ): readonly Active[] {
    const isRepository = folder !== "" && children.some((child) => child.name === ".git");
    const hasRules = children.some((child) => child.name === ".gitignore");
    if (!isRepository && !hasRules) return active;
    return active.map(({ selection, state }) => {
      const filter = this.filters[selection]!;
      const path = folder.slice(this.cuts[selection]);
      const inside = isRepository ? filter.withRepositoryOf(directory, path, state) : state;
      return { selection, state: hasRules ? filter.withGitignoreOf(directory, path, inside) : inside };
    });
  }

  private readFolder(
    directory: string,
    name: string,
    path: string,
    active: readonly Active[],
    known: KnownFolder,
    earlier: EarlierEntry | undefined,
  ): void {
    const inside = this.startingAt(path);
    const chosen = this.chosenNow;
    chosen.length = 0;
    for (const above of active) {
      const { selection, state } = above;
      const next = this.filters[selection]!.enterFolder(path.slice(this.cuts[selection]), state);
      if (next?.selected === true) chosen.push(selection);
      if (next?.enter === true) inside.push(next === state ? above : { selection, state: next });
    }
    const enter = inside.length > 0 || this.leading.has(path);
    if (chosen.length === 0 && !enter) return;
    const entry = statChild(`${directory}/${name}`, path, "directory", known, earlier);
    if (entry === undefined) return;
    known.entries.push(entry);
    known.wanted.push({
      chosen: this.kept(chosen),
      inside: sameItems(inside, active) ? active : inside.slice(),
      enter,
    });
  }

  private wanting(path: string, active: readonly Active[]): readonly number[] {
    const chosen = this.chosenNow;
    chosen.length = 0;
    const starting = this.starting.get(path);
    if (starting !== undefined) chosen.push(...starting);
    for (const { selection, state } of active) {
      if (this.filters[selection]!.selectsFile(path.slice(this.cuts[selection]), state)) chosen.push(selection);
    }
    return chosen;
  }

  /** Returns the previous list if it is equal, as neighbors are mostly wanted by the same selections. */
  private kept(chosen: readonly number[]): readonly number[] {
    if (!sameItems(chosen, this.keptLast)) this.keptLast = chosen.slice();
    return this.keptLast;
  }
}

function noResult(): Omit<WalkResult, "entries" | "selected"> {
  return { unreadable: [], folders: [], installed: [], passedLinks: [] };
}
