import { PathTest, realPathOnce, type TreeFilter } from "../../tree/index.ts";

/** A part of the host that is read: a filtered folder, or one file. */
export interface ScannedInput {
  kind: "directory" | "file";
  /** Absolute path. */
  path: string;
  filter: TreeFilter;
  /** Targets of its links inside its folder count too. */
  follow?: true;
  /** Only its existence counts. */
  presence?: true;
}

/** Returns the real path of a folder; cached while a project is read. */
export function realIfPresent(folder: string): string {
  return realPathOnce(folder).path;
}

/** Returns a test for whether a file (absolute, real path) is the input or selected by it, existing or not. */
export function selectionOf({ kind, path: place, filter }: ScannedInput): (file: string) => boolean {
  const real = realIfPresent(place);
  if (kind === "file") return (file) => file === real;
  const start = real === "/" ? "/" : `${real}/`;
  // Created on demand, as few of a thousand inputs are tested.
  let test: PathTest | undefined;
  return (file) => file.startsWith(start) && (test ??= new PathTest(real, filter)).selects(file.slice(start.length));
}
