/** A project's way to its engine: chosen once, with module host and trees, closed together. */
export { engineName, ProjectSession, type ProjectSessionOptions } from "./project-session.ts";
export type { WarmEngine } from "./warm-engine.ts";
