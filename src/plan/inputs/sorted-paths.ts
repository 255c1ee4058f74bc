import { byCharacters, positionIn } from "../../tree/index.ts";

/** Paths in the order of their characters: those in one folder, at any depth, are neighbours. */
export class SortedPaths {
  private readonly paths: readonly string[];

  constructor(paths: readonly string[]) {
    this.paths = [...new Set(paths)].sort();
  }

  /** Those in the folder, at any depth; of "" all. */
  below(folder: string): readonly string[] {
    if (folder === "") return this.paths;
    // "0" is what comes after "/".
    const [from, to] = [`${folder}/`, `${folder}0`].map((text) => positionIn(this.paths, text, byCharacters));
    return this.paths.slice(from, to);
  }
}
