import {
  compareTreePaths,
  contentKey,
  earlierContentKey,
  type ContentHasher,
  type TreeEntry,
} from "../../tree/index.ts";
import type { TreeScan } from "../../tree/index.ts";
import { inPathOrder, type FileChange } from "./manifests.ts";

/** One input in a scan. */
export interface FoundInput {
  scan: TreeScan;
  indices: Uint32Array;
}

/**
 * Returns the differences of one input between two scans of the same scanner; `cut` shortens a path for display. Unchanged
 * entries are the same objects in both, so only the others are compared. Undefined if that is not conclusive.
 */
export function changesBetween(
  before: FoundInput,
  now: FoundInput,
  cut: (path: string) => string,
  hasher: ContentHasher,
): FileChange[] | undefined {
  const { root, entries } = now.scan.listing;
  const { root: rootBefore, entries: entriesBefore } = before.scan.listing;
  const changes: FileChange[] = [];
  const add = (change: FileChange["change"], entry: TreeEntry): void =>
    void changes.push({ kind: "file", change, path: cut(entry.path) });
  let position = 0;
  for (const index of now.indices) {
    const entry = entries[index]!;
    let old = entriesBefore[before.indices[position] ?? -1];
    while (old !== undefined && old !== entry && compareTreePaths(old.path, entry.path) < 0) {
      add("removed", old);
      old = entriesBefore[before.indices[++position] ?? -1];
    }
    if (old === undefined || (old !== entry && old.path !== entry.path)) {
      add("added", entry);
      continue;
    }
    position++;
    if (old === entry) continue;
    const key = earlierContentKey(rootBefore, old, hasher);
    if (key === undefined) return undefined;
    if (key !== contentKey(root, entry, hasher)) add("changed", entry);
  }
  for (; position < before.indices.length; position++) add("removed", entriesBefore[before.indices[position]!]!);
  // If a file was written twice within a tick of the clock, only its hash shows it.
  return changes.length === 0 ? undefined : inPathOrder(changes);
}
