import { realpathSync } from "node:fs";
import { PathTest, type TreeFilter } from "../../tree/index.ts";

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

/** Whether a file (absolute, by its real path) is the input or selected by it, there or not. */
export function selectionOf({ kind, path: place, filter }: ScannedInput): (file: string) => boolean {
  const real = realIfPresent(place);
  if (kind === "file") return (file) => file === real;
  const test = new PathTest(real, filter);
  const start = real === "/" ? "/" : `${real}/`;
  return (file) => file.startsWith(start) && test.selects(file.slice(start.length));
}
