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

/** How a running benchmark talks to its caller. */
export interface Report {
  /** Progress, one line; goes to stderr. */
  note(text: string): void;
  /** A part that can't be measured, with the reason: its figures are missing and the run fails. */
  problem(text: string): void;
  /** What follows the name on the command line, e.g. the sizes to measure. */
  words: readonly string[];
}

export interface Bench {
  name: string;
  summary: string;
  run(report: Report): Promise<Row[]>;
}
