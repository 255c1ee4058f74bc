import { byCharacters, positionIn } from "../../tree/index.ts";

/** Paths sorted by character, so that those in one folder, at any depth, are adjacent. */
export class SortedPaths {
  private readonly paths: readonly string[];

  constructor(paths: readonly string[]) {
    this.paths = [...new Set(paths)].sort();
  }

  /** Returns the paths in a folder at any depth; all for "". */
  below(folder: string): readonly string[] {
    if (folder === "") return this.paths;
    // "0" is the character after "/".
    const [from, to] = [`${folder}/`, `${folder}0`].map((text) => positionIn(this.paths, text, byCharacters));
    return this.paths.slice(from, to);
  }
}
