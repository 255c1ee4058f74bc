import { realpathSync } from "node:fs";
import { PathTest, readOnce, type TreeFilter } from "../../tree/index.ts";

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
  return readOnce(`real path of ${folder}`, () => {
    try {
      return realpathSync.native(folder);
    } catch {
      return folder;
    }
  });
}

/** Whether a file (absolute, by its real path) is the input or selected by it, there or not. */
export function selectionOf({ kind, path: place, filter }: ScannedInput): (file: string) => boolean {
  const real = realIfPresent(place);
  if (kind === "file") return (file) => file === real;
  const start = real === "/" ? "/" : `${real}/`;
  // Of a thousand inputs few are asked.
  let test: PathTest | undefined;
  return (file) => file.startsWith(start) && (test ??= new PathTest(real, filter)).selects(file.slice(start.length));
}
