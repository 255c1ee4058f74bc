/** Locations on the host: fastloop's own package, the user's folders, programs. */
export { enginePackage } from "./engine-package.ts";
export { daemonEnvironment } from "./environment.ts";
export { findExecutable } from "./executables.ts";
export { cacheHome, homeFolder, stateHome } from "./folders.ts";
export { filesPrintedTo } from "./own-output.ts";
export { isGitsFile } from "./gits-files.ts";
export { buildId, distFile, packageRoot } from "./package-root.ts";
export { proxyFor, proxyNames, proxyOf, proxyPort, proxySetting, proxyVariables } from "./proxy.ts";
export { openRegular, readRegular, regularTextIfThere, UnfitFile } from "./reads/regular-file.ts";
export { changeableByOthers, findSafeExecutable, safePath } from "./safe-program.ts";
export { isPipe, readPipe } from "./typed-pipe.ts";
export { bigintStatIfThere, lstatIfThere, namesIfThere, statIfThere, textIfThere } from "./reads/if-there.ts";
export { isInside, isReallyInside, isWithin, leadsOut } from "./inside.ts";
export { existingPath, realPath, realPathIfThere } from "./reads/real-path.ts";
export {
  currentRecorder,
  recordingDuring,
  recordingIn,
  type ReadRecorder,
  type RecordedEntry,
} from "./reads/read-recorder.ts";
