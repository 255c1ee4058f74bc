/**
 * Access to the engine daemon, and the places where set-up puts what it needs. The daemon itself is a program:
 * `main.ts`.
 */
export { clearState } from "./clear.ts";
export { takeLock } from "./lock.ts";
export { controlHeaders, makeControlSecret, showsSecret } from "./control/control-secret.ts";
export { foreignFolder } from "./set-up/paths.ts";
export { notedProcess } from "./buildkitd/process-file.ts";
export {
  DaemonExit,
  failureFile,
  liveHeaders,
  liveProtocol,
  sessionLines,
  terminalHeaders,
  terminalProtocol,
  type DaemonStatus,
  type EngineDisk,
  type ExportCachesRequest,
  type ExportedCaches,
  type OpenSessionRequest,
  type PrunedDisk,
  type ServiceMemory,
  type ServiceMemoryRequest,
  type SessionEnd,
  type SessionLine,
  type SessionOpened,
  type StartFailure,
  type StopRequest,
  type TerminalOffer,
} from "./control/protocol.ts";
export { controlSocket, imagesDir, shimDir, socketDir, stateDir, toolsDir } from "./set-up/paths.ts";
export { requireRoot } from "./set-up/require-root.ts";
export { runSetup, setUpBoundary, type SetupOptions } from "./set-up/run.ts";
