import { realpathSync } from "node:fs";
import type { TreeFilter } from "../../tree/index.ts";

/** A part of the host that is read: a filtered folder, or one file. */
export interface ScannedInput {
  kind: "directory" | "file";
  /** Absolute. */
  path: string;
  filter: TreeFilter;
  /** What links in it lead to inside of its folder counts, too. */
  follow?: true;
  /** Only whether it is there counts. */
  presence?: true;
}

export function realIfPresent(folder: string): string {
  try {
    return realpathSync.native(folder);
  } catch {
    return folder;
  }
}
