import { lstatSync, realpathSync } from "node:fs";
import { currentRecorder, isWithin, statIfThere } from "../../paths/index.ts";
import { UserError } from "../../errors/index.ts";
import { identityOf } from "./entries.ts";
import { reasonOf } from "./read-errors.ts";
import type { StatAhead } from "./stat-ahead.ts";
import type { TreeFilter, TreeListing } from "../types.ts";
import { Walk, type ScannedFolder, type TreeSelection, type WalkResult } from "./walk.ts";

/** Result of one walk for many selections: the union of what they select, and for each the indices of its entries. */
export interface TreeScan {
  listing: TreeListing;
  selections: Uint32Array[];
  /** Every folder that was entered, the root ("") first: exactly what has to be watched. */
  folders: ScannedFolder[];
  /** Entered folders that contain a `node_modules`, whether or not that was entered. */
  installed: string[];
  /** Links in entered folders that no selection wants; something behind one may be wanted. */
  passedLinks: string[];
}

/**
 * Lists what `filter` selects of a host folder. Symlinks are listed, not followed; sockets, pipes and devices are left
 * out. `ahead` holds files that were already read. Throws a `UserError` if the folder cannot be read.
 */
export function listTree(root: string, filter?: TreeFilter, ahead?: ReadonlyMap<string, StatAhead>): TreeListing {
  return new TreeScanner(root, [{ path: "", filter }]).scan(undefined, undefined, ahead).listing;
}

/** Does the same folder by folder, so that other work can run in between. */
export function* listTreeSteps(root: string, filter?: TreeFilter): Generator<void, TreeListing> {
  const { realRoot, identity } = realFolder(root);
  const walk = new Walk(realRoot, [{ path: "", filter }], undefined);
  return asScan(realRoot, yield* walk.steps(identity)).listing;
}

/** Walks once, however many selections there are; a folder that none of them can want is not entered. */
export function scanTree(root: string, selections: readonly TreeSelection[]): TreeScan {
  return new TreeScanner(root, selections).scan();
}

/** Scans one tree repeatedly; after hints, only the folders that they name are read again. */
export class TreeScanner {
  private readonly root: string;
  private readonly selections: readonly TreeSelection[];
  private known: { realRoot: string; walk: Walk } | undefined;

  constructor(root: string, selections: readonly TreeSelection[]) {
    this.root = root;
    this.selections = selections;
  }

  /**
   * Scans everything, or with `changed` (absolute paths below the real root) only the folders that contain these; the
   * rest is as known. That is only as good as the hints, while a full scan is the truth. `beforeRead` is called with
   * each folder (absolute) just before it is read, so a watcher that starts then misses nothing. `ahead` holds files
   * that were already read.
   */
  scan(
    changed?: ReadonlySet<string>,
    beforeRead?: (folder: ScannedFolder) => void,
    ahead?: ReadonlyMap<string, StatAhead>,
  ): TreeScan {
    const { realRoot, identity } = realFolder(this.root);
    if (changed === undefined || this.known?.realRoot !== realRoot || [...changed].some(holdsRules)) {
      const earlier = this.known?.realRoot === realRoot ? this.known.walk : undefined;
      this.known = { realRoot, walk: new Walk(realRoot, this.selections, earlier) };
    } else {
      this.known.walk.forget(changed);
    }
    return asScan(realRoot, this.known.walk.run(identity, beforeRead, ahead?.get(realRoot)));
  }

  /** Returns what a full scan would see, folder by folder, so that other work can run in between; keeps nothing. */
  *scanSteps(): Generator<void, TreeScan | undefined> {
    if (!this.isPresent()) return undefined;
    const { realRoot, identity } = realFolder(this.root);
    const earlier = this.known?.realRoot === realRoot ? this.known.walk : undefined;
    return asScan(realRoot, yield* new Walk(realRoot, this.selections, earlier).steps(identity));
  }

  /** Does the same as `scan`; undefined while there is no such folder. */
  scanIfPresent(...how: Parameters<TreeScanner["scan"]>): TreeScan | undefined {
    if (this.isPresent()) return this.scan(...how);
    this.known = undefined;
    return undefined;
  }

  /** Returns what a full scan would see, with names only: the other fields of an entry mean nothing. Keeps nothing. */
  names(): TreeScan | undefined {
    if (!this.isPresent()) return undefined;
    const { realRoot, identity } = realFolder(this.root);
    return asScan(realRoot, new Walk(realRoot, this.selections, undefined, "names").run(identity));
  }

  /** Reports whether that folder (absolute, below the real root) was entered by the last scan. */
  knowsFolder(folder: string): boolean {
    if (this.known === undefined) return false;
    const { realRoot, walk } = this.known;
    return isWithin(realRoot, folder) && (folder === realRoot || walk.knows(folder.slice(realRoot.length + 1)));
  }

  private isPresent(): boolean {
    currentRecorder()?.kind(this.root);
    return statIfThere(this.root)?.isDirectory() === true;
  }
}

function asScan(root: string, { entries, unreadable, selected, ...rest }: WalkResult): TreeScan {
  return {
    listing: { root, entries, unreadable },
    selections: selected.map((indices) => new Uint32Array(indices)),
    ...rest,
  };
}

/** Rules apply to everything below them, so a change requires selecting all of it again. */
function holdsRules(file: string): boolean {
  return file.endsWith("/.gitignore") || file.endsWith("/.git/info/exclude");
}

function realFolder(root: string): { realRoot: string; identity: bigint } {
  try {
    const realRoot = realpathSync(root);
    const stats = lstatSync(realRoot, { bigint: true });
    if (stats.isDirectory()) return { realRoot, identity: identityOf(stats.ino, stats.birthtimeNs) };
  } catch (cause) {
    throw new UserError("usage", "this folder cannot be read", { place: root, cause, detail: reasonOf(cause) });
  }
  throw new UserError("usage", "this is not a folder", { place: root });
}
