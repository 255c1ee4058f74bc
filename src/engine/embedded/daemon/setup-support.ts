/** What tools/setup.mjs needs to know of the engine (dist/setup-support.js): one answer to "where" and "which engine". */
export { describeEngineChoice } from "../../index.ts";
export { cacheDir, imagesDir, packageRoot, shimDir, toolsDir } from "./paths.ts";
export { confineDir } from "../../../module/index.ts";
