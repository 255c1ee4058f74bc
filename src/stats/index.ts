/** What the history of a project's runs says: figures, comparisons, and how they are shown. Reads nothing, asks nobody. */
export { compareStatistics, type Compared } from "./compare.ts";
export { csvOf } from "./csv.ts";
export { htmlOf } from "./html.ts";
export { percentile, spreadOf, type Spread } from "./numbers.ts";
export { momentOf, periodBefore, periodOf, type Period } from "./period.ts";
export { renderComparison, renderStatistics } from "./render.ts";
export { statisticsOf, type Figures, type FunctionFigures, type Statistics } from "./summarize.ts";
