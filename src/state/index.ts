/** `.fastloop` of a project, the only door to it; the user's key, by which we know what is ours in it; whose a file is. */
export type { Content, HeldFolder } from "./held-folder.ts";
export { stateFolder, type StateFolderName } from "./names.ts";
export { isAlive, isRunning, processMark, processState, startTicks } from "./process.ts";
export { isBuilt, programState, recordPrograms, requireBuilt } from "./programs.ts";
export { ProjectState } from "./project-state.ts";
export { seal, unseal } from "./seal.ts";
export type { SealedReader } from "./sealed-reader.ts";
export { sweepTemporary, temporaryFolder, type TemporaryKind } from "./temporary.ts";
export { takeStateKey } from "./user-key.ts";
