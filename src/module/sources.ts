import { readdirSync } from "node:fs";
import path from "node:path";
import type { ModuleInfo } from "./types.ts";

/** Every .ts and .mts file below `folder`, as an engine imports them: all of them, in `dist` and `node_modules` none. */
export function listSources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    if (entry.name.includes("node_modules") || entry.name.includes("dist")) return [];
    if (entry.isDirectory()) return listSources(file);
    // A pipe of that name would be waited for.
    if (!entry.isFile() && !entry.isSymbolicLink()) return [];
    return [".ts", ".mts"].includes(path.extname(entry.name)) && !entry.name.endsWith(".d.ts") ? [file] : [];
  });
}

/** The module's own code. */
export const listModuleSources = ({ sourceDir }: Pick<ModuleInfo, "sourceDir">): string[] =>
  listSources(path.join(sourceDir, "src"));
