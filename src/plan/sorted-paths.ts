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
    return this.paths.slice(this.indexOf(`${folder}/`), this.indexOf(`${folder}0`));
  }

  /** How many are before it. */
  private indexOf(text: string): number {
    let [low, high] = [0, this.paths.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.paths[middle]! < text) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
