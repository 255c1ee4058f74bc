export type * from "./types.ts";
export { durationMs, sizeBytes } from "./units.ts";
