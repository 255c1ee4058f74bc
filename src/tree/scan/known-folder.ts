/** What a walk knows of a folder: its content when it was read, and which selections want it. */
import { lstatSync } from "node:fs";
import { entryOf, isUntouched, type EarlierEntry } from "./entries.ts";
import { hasVanished, reasonOf } from "./read-errors.ts";
import type { FolderState } from "../rules/selection.ts";
import type { StatAhead } from "./stat-ahead.ts";
import type { TreeEntry, TreeListing } from "../types.ts";
import { currentRecorder } from "../../paths/index.ts";

/** A selection whose root is this folder or above it. */
export interface Active {
  selection: number;
  state: FolderState;
}

/** Content of a folder when it was read, and which selections want it; two parallel lists in the listing's order. */
export interface KnownFolder {
  /** Identity of the folder, as another one can take its name. */
  identity: bigint;
  entries: TreeEntry[];
  /** For each entry: the selections that want the file, or what is known of the folder. */
  wanted: (readonly number[] | KnownChildFolder)[];
  unreadable: readonly TreeListing["unreadable"][number][];
  hasInstalled: boolean;
  /** Paths of links in it that no selection wants; something behind one may be wanted. */
  passedLinks: readonly string[];
}

interface KnownChildFolder {
  chosen: readonly number[];
  inside: readonly Active[];
  enter: boolean;
}

/**
 * Returns the entry of a child, the earlier one if it is untouched; undefined if it is gone or has another type by now.
 * An unreadable child is noted in `known`. `ahead` may have read it already.
 */
export function statChild(...given: Parameters<typeof lookAtChild>): TreeEntry | undefined {
  const entry = lookAtChild(...given);
  if (entry === undefined) currentRecorder()?.doubtful(`${given[1]} moved`);
  return entry;
}

function lookAtChild(
  absolute: string,
  path: string,
  expected: "file" | "directory",
  known: KnownFolder,
  earlier: EarlierEntry | undefined,
  ahead?: StatAhead,
): TreeEntry | undefined {
  try {
    const seen = ahead?.file(path);
    if (seen !== undefined) return seen;
    const stats = lstatSync(absolute, { bigint: true });
    const before = earlier?.(path);
    if (before !== undefined && isUntouched(before, stats)) {
      return (before.type === "directory") === (expected === "directory") ? before : undefined;
    }
    const entry = entryOf(path, stats, absolute);
    // A path that just changed its type shows at the next scan; here it would be listed with the wrong type.
    return (entry?.type === "directory") === (expected === "directory") ? entry : undefined;
  } catch (error) {
    if (hasVanished(error) && !path.includes("\uFFFD")) return undefined;
    const reason = path.includes("\uFFFD") ? "its name is not valid UTF-8" : reasonOf(error);
    known.unreadable = [...known.unreadable, { path, reason }];
    return undefined;
  }
}

export function sameItems<Item>(a: readonly Item[], b: readonly Item[]): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false;
  return true;
}
