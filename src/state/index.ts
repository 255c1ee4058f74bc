/**
 * The only door to a project's `.fastloop`; the user's key, which proves that a file was written by this user; and
 * checks of who owns a file or process.
 */
export type { Content, HeldFolder } from "./held-folder.ts";
export { stateFolder, type StateFolderName } from "./names.ts";
export { isAlive, isRunning, processMark, processState, startTicks } from "./process.ts";
export { isBuilt, programState, recordPrograms, requireBuilt } from "./programs.ts";
export { ProjectState } from "./project-state.ts";
export { seal, unseal } from "./seal.ts";
export type { SealedReader } from "./sealed-reader.ts";
export { sweepTemporary, temporaryFolder, type TemporaryKind } from "./temporary.ts";
export { takeStateKey } from "./user-key.ts";
