/** What tools/setup.mjs needs of the engine (dist/setup-support.js): the same answers to "where" and "which engine". */
export { describeEngineChoice } from "./index.ts";
export { imagesDir, shimDir, toolsDir } from "../engine-daemon/index.ts";
export { cacheHome, enginePackage, findSafeExecutable, packageRoot } from "../paths/index.ts";
export { isBuilt, recordPrograms, temporaryFolder } from "../state/index.ts";
export { confineDir } from "../module/index.ts";
