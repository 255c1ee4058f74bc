/** Compares two runs, a run and a baseline, or two images. Needs no engine. */
export { BaselineStore, requireName } from "./baselines.ts";
export { editDistance } from "./edit-distance.ts";
export { diffPackages, packagesOf, type PackageDiff } from "./packages.ts";
export { runsNamed } from "./refs.ts";
export { renderLines, renderTree } from "./render.ts";
export { diffRuns, type FunctionDiff, type RecordedRun, type RunDiff, type RunSet } from "./runs.ts";
export { setBased } from "./set-based.ts";
export { diffPoint, guardedStrategy } from "./strategies.ts";
export { countChanges, isDifference, usualNoise } from "./tree.ts";
export type { Change, DiffNode, DiffStrategy, Noise, SpanNode } from "./tree.ts";
