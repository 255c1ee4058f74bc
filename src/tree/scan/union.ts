import type { TreeEntry } from "../types.ts";

/** A folder on the way down; emitted at the latest with the first of its children that a selection wants. */
export interface Frame {
  parent: Frame | undefined;
  entry: TreeEntry;
  unionIndex: number;
  emittedFor: Set<number>;
  /** List for which it was emitted last; neighbors share theirs. */
  emittedForAll: readonly number[] | undefined;
}

export function frameOf(parent: Frame | undefined, entry: TreeEntry): Frame {
  return { parent, entry, unionIndex: -1, emittedFor: new Set(), emittedForAll: undefined };
}

/** What all selections of a walk want together, and the part of each; folders come with the first of their children. */
export class Union {
  readonly entries: TreeEntry[] = [];
  readonly selected: number[][];
  /** Length of each selection's own root with its slash. */
  private readonly cuts: readonly number[];

  constructor(cuts: readonly number[]) {
    this.cuts = cuts;
    this.selected = cuts.map(() => []);
  }

  /** Adds a file that these selections want, with the folders above it. */
  addFile(entry: TreeEntry, chosen: readonly number[], parent: Frame | undefined): void {
    this.emitUnion(parent);
    const unionIndex = this.entries.push(entry) - 1;
    if (parent !== undefined && parent.emittedForAll !== chosen) {
      for (const selection of chosen) this.addFolder(parent, selection);
      parent.emittedForAll = chosen;
    }
    for (const selection of chosen) this.selected[selection]!.push(unionIndex);
  }

  /** Adds a folder and its parents to the union, the outermost first. */
  private emitUnion(frame: Frame | undefined): void {
    if (frame === undefined || frame.unionIndex >= 0) return;
    this.emitUnion(frame.parent);
    frame.unionIndex = this.entries.push(frame.entry) - 1;
  }

  /** Adds a folder that a selection wants, once. */
  addFolder(frame: Frame, selection: number): void {
    if (frame.emittedFor.has(selection)) return;
    frame.emittedFor.add(selection);
    if (frame.parent !== undefined) this.addFolder(frame.parent, selection);
    this.emitUnion(frame);
    // A selection's own root and the folders above it belong only to the union.
    if (frame.entry.path.length >= this.cuts[selection]!) this.selected[selection]!.push(frame.unionIndex);
  }
}
