export type * from "./types.ts";
export { findConfig, loadConfig } from "./load.ts";
export type { LoadOptions } from "./load.ts";
export { durationMs, sizeBytes } from "./units.ts";
export { suggest } from "./suggest.ts";
