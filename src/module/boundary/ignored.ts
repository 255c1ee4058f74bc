/**
 * Files in a module's folder that git ignores: keys, results, private notes. No clone has them and a Dagger engine does
 * not load them with a module, so bodies do not see them here either.
 */
import path from "node:path";
import { ignoredPaths } from "../../tree/index.ts";
import type { ModuleInfo } from "../types.ts";

/** Returns absolute paths, without packages and the generated SDK, which an engine creates itself. */
export function ignoredFiles({ sourceDir }: Pick<ModuleInfo, "sourceDir">): string[] {
  return ignoredPaths(
    sourceDir,
    (relative) => relative === "sdk" || relative === ".fastloop" || path.basename(relative) === "node_modules",
  );
}
