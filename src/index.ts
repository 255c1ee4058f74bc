/**
 * fastloop for programs: the configuration, the run loop and the reporters, as the commands use them.
 *
 * ```ts
 * import { Loop } from "fastloop";
 * const loop = new Loop({ cwd: process.cwd(), environment: process.env, command: "my-tool" });
 * ```
 */
export { ExitCode, UserError, type ErrorCode, type UserErrorOptions } from "./errors/index.ts";
export { findConfig, loadConfig, type LoadOptions } from "./config/index.ts";
export type { Config } from "./config/types.ts";
export {
  Loop,
  type FunctionState,
  type LoopListener,
  type LoopNotice,
  type LoopOptions,
  type LoopState,
  type LoopSummary,
  type Outcome,
  type RunRecord,
} from "./run/index.ts";
export type { DiffNode, DiffStrategy, Noise, SpanNode } from "./diff/index.ts";
export type { CacheBackend, ResourceMonitor } from "./extensions/index.ts";
export { githubReporter, jsonReporter, junit, plainReporter } from "./report/index.ts";
