/** Checks what keeps this machine from working, or from working well, and says what to do about it. */
export { checkDocker, checkEngine, checkOtherEngines, checkPlatforms, type EngineNames } from "./engines.ts";
export { unknown, type CheckResult } from "./finding.ts";
export { checkLock, checkState } from "./leftovers.ts";
export {
  checkCores,
  checkDisk,
  checkFileSystem,
  checkInotify,
  checkMemory,
  checkNode,
  machineChecks,
} from "./machine.ts";
export { checkClock, checkProxy, checkRegistry, registriesOf, withoutCredentials } from "./network.ts";
export { bugReport, renderChecks, thisUser, withoutPrivate, type Private } from "./report.ts";
