/** "Give me a session": the door of the engine room. */
import { chooseEngine, type EngineChoice, type EngineDecision } from "./choose.ts";
import { thisMachine } from "./choose-machine.ts";
import { openDaggerSession } from "./dagger/session.ts";
import { openEmbeddedSession } from "./embedded/open.ts";
import type { EngineSession, OpenSessionOptions } from "./types.ts";

export { ExecFailure, QueryError, type GraphqlError } from "../graphql/index.ts";
export { encodeFrame, FrameReader } from "../core-api/index.ts";
export { followTerminal } from "./embedded/terminal.ts";
export { engineKey } from "./engine-key.ts";
export { keyEnd } from "./key-end.ts";
export { failureOf } from "./failure.ts";
export { lostSession } from "./lost.ts";
export type { Considered, EngineChoice, EngineDecision } from "./choose.ts";
export type * from "./types.ts";
export * from "./embedded/engine.ts";
export { imagesDir as imagesFolder } from "../engine-daemon/index.ts";
export { runDaggerCall } from "./dagger/foreground.ts";
export { setUpBoundary } from "../engine-daemon/index.ts";
export { isRecipeId } from "./dagger/recipe-id.ts";
export { needsDagger, serveModule } from "./dagger/served-module.ts";
export { fileReadAgain, MovingFiles } from "./trees/moving.ts";
export { TreeSync, type SyncedTree } from "./trees/sync.ts";

/** Chooses an engine and opens a session with it. Starts the engine if needed, and sets it up on a fresh host. */
export async function openSession(options: OpenSessionOptions): Promise<EngineSession> {
  options.signal?.throwIfAborted();
  return openChosenSession((await describeEngineChoice(options)).choice, options);
}

/** Opens a session with an engine that was chosen before. */
export async function openChosenSession(choice: EngineChoice, options: OpenSessionOptions): Promise<EngineSession> {
  options.signal?.throwIfAborted();
  if (choice.kind === "buildkit-host" || choice.kind === "buildkitd") return openEmbeddedSession(choice, options);
  if (options.cache !== undefined)
    options.onNotice?.("the shared cache is not used: a Dagger engine keeps a cache of its own");
  return openDaggerSession(choice, options);
}

/**
 * Returns which engine `openSession` would choose, and why it would pass over the others, without starting anything.
 */
export function describeEngineChoice(
  options: Pick<OpenSessionOptions, "engine" | "buildkitHost">,
): Promise<EngineDecision> {
  return chooseEngine(options, thisMachine());
}
