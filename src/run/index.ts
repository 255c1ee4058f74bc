/**
 * Scheduling, cancellation, results, run records. `Loop` is the way in: it runs targets once, or watches until it is
 * stopped.
 */
export type { FinishedNotice, LoopListener, LoopNotice } from "./events.ts";
export { allCurrent, askRun, keepAllCurrent } from "./records/all-current.ts";
export { History, type HistoryEntry } from "./records/history.ts";
export { limitsOf } from "./machine/limits.ts";
export { ProjectLock } from "./records/lock.ts";
export { Loop } from "./loop.ts";
export type { LoopOptions } from "./loop-options.ts";
export { sweepDrafts } from "./records/sweep-drafts.ts";
export { retentionOf } from "./records/retention.ts";
export { RunStore, type RunRecord } from "./records/records.ts";
export { SpanRecorder, SpanStore, type Span } from "./records/spans.ts";
export type { FunctionState, LoopState, Outcome } from "./machine/state.ts";
export type { LoopSummary } from "./summary.ts";
export { whyOf, type Why } from "./why.ts";
