/**
 * Files in a module's folder that git ignores: keys, results, what the user keeps for himself. They are in no clone, and a
 * Dagger engine does not load them with a module, so that its bodies see none of them here either.
 */
import path from "node:path";
import { ignoredPaths } from "../../tree/index.ts";
import type { ModuleInfo } from "../types.ts";

/** Absolute paths; packages and the generated SDK, which an engine makes itself, are none. */
export function ignoredFiles({ sourceDir }: Pick<ModuleInfo, "sourceDir">): string[] {
  return ignoredPaths(
    sourceDir,
    (relative) => relative === "sdk" || relative === ".fastloop" || path.basename(relative) === "node_modules",
  );
}
