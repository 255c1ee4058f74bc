/** Computes and renders statistics of a project's run history. It reads no files and makes no requests. */
export { compareStatistics, type Compared } from "./compare.ts";
export { csvOf } from "./csv.ts";
export { htmlOf } from "./html.ts";
export { percentile, spreadOf, type Spread } from "./numbers.ts";
export { momentOf, periodBefore, periodOf, type Period } from "./period.ts";
export { renderComparison, renderStatistics } from "./render.ts";
export { statisticsOf, type Figures, type FunctionFigures, type Statistics } from "./summarize.ts";
