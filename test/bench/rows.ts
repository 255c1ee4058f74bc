import type { Row } from "./types.ts";

export interface Aim {
  /** The value may be at most this. */
  below: number;
  unit: Row["unit"];
  note?: string;
}

/** A row for each tool that has the figure; ours carries the best peer as its reference, and the aim. */
export function comparisonRows(
  measure: string,
  unit: Row["unit"],
  values: readonly { tool: string; value: number }[],
  aim?: Aim,
): Row[] {
  const known = values.filter(({ value }) => !Number.isNaN(value));
  const best = known.filter(({ tool }) => tool !== "fastloop").sort((a, b) => a.value - b.value)[0];
  return known.map(({ tool, value }) => {
    const row: Row = { case: `${measure}: ${tool}`, value, unit };
    if (tool !== "fastloop") return row;
    if (best !== undefined) {
      row.reference = best.value;
      row.against = `best peer, ${best.tool}`;
      if (best.value > 0) row.ratio = value / best.value;
    }
    if (aim !== undefined) {
      row.aim = `<= ${aim.below} ${aim.unit}${aim.note === undefined ? "" : ` (${aim.note})`}`;
      row.met = value <= aim.below;
    }
    return row;
  });
}
