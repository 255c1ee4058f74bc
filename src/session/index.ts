/** A project's connection to its engine: chosen once, with function runtime and trees, closed together. */
export { assumedEngine } from "./assumed-engine.ts";
export { ProjectSession, type ProjectSessionOptions } from "./project-session.ts";
export type { WarmEngine } from "./warm-engine.ts";
