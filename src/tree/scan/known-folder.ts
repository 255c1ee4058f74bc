/** What a walk knows of a folder: what it held when it was read, and which selections want it. */
import { lstatSync } from "node:fs";
import { entryOf, isUntouched, type EarlierEntry } from "./entries.ts";
import { hasVanished, reasonOf } from "./read-errors.ts";
import type { FolderState } from "../rules/selection.ts";
import type { StatAhead } from "./stat-ahead.ts";
import type { TreeEntry, TreeListing } from "../types.ts";

/** A selection whose root is this folder or above it. */
export interface Active {
  selection: number;
  state: FolderState;
}

/** What a folder held when it was read, and which selections want it; two lists beside each other, in the listing's order. */
export interface KnownFolder {
  /** Another folder can take the name. */
  identity: bigint;
  entries: TreeEntry[];
  /** Of each entry: which selections want the file, or what is known of the folder. */
  wanted: (readonly number[] | KnownChildFolder)[];
  unreadable: readonly TreeListing["unreadable"][number][];
  hasInstalled: boolean;
  /** Paths of links in it that no selection wants: what lies behind one may be wanted. */
  passedLinks: readonly string[];
}

interface KnownChildFolder {
  chosen: readonly number[];
  inside: readonly Active[];
  enter: boolean;
}

/**
 * The entry of a child, as it was known where it was not touched since; undefined where it is gone or of another type by
 * now. One that cannot be read is noted in `known`. `ahead` may have looked at it already.
 */
export function statChild(
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
    // What was a folder a moment ago and is none now shows at the next look; here it would be listed without its type.
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
