/** One measured figure. `reference` is the peer or the limit measured in the same run; `ratio` is value / reference. */
export interface Row {
  case: string;
  value: number;
  unit: "ms" | "MB" | "%" | "count" | "s";
  reference?: number;
  ratio?: number;
  /** What the reference is, e.g. `buildctl build`. */
  against?: string;
  /** The number to reach for `ratio` (or `value` where there is no reference), and whether it was. */
  aim?: string;
  met?: boolean;
}

export interface Bench {
  name: string;
  summary: string;
  /**
   * Progress goes to `note` (stderr); the rows are the result. `words` are what follows the name on the command line,
   * e.g. the sizes to measure. A part that can't be measured throws: no figure is better than a wrong one.
   */
  run(note: (text: string) => void, words: readonly string[]): Promise<Row[]>;
}
