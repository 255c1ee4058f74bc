import { closeSync, fstatSync, readdirSync } from "node:fs";
import path from "node:path";
import { UserError } from "../errors/index.ts";
import { openRegular } from "../paths/index.ts";
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

/** Generated ones are smaller, too; a compiler takes a hundred times that. What is read otherwise has the same limit. */
export const largestSourceBytes = 4 * 1024 * 1024;

/** Throws a `UserError` for a source that is none: it would be waited for, or fill the memory. */
export function requireSources(root: string, sourceDir: string): void {
  for (const file of listSources(path.join(sourceDir, "src"))) requireFile(root, file);
  requireSettings(root, [root, sourceDir, path.join(sourceDir, "src")]);
}

/** The same for what compilers look for by its name in these folders. */
export function requireSettings(root: string, folders: readonly string[]): void {
  for (const folder of new Set(folders)) {
    for (const name of ["package.json", "tsconfig.json"])
      requireFile(root, path.join(folder, name), { isOptional: true });
  }
}

function requireFile(root: string, file: string, { isOptional = false } = {}): void {
  const place = path.relative(root, file);
  let sizeBytes: number;
  try {
    const descriptor = openRegular(file);
    sizeBytes = fstatSync(descriptor).size;
    closeSync(descriptor);
  } catch (cause) {
    if (isOptional && (cause as NodeJS.ErrnoException).code === "ENOENT") return;
    throw new UserError("module", `can't be read: ${reasonOf(cause)}`, { place, cause });
  }
  if (sizeBytes > largestSourceBytes)
    throw new UserError("module", `has ${sizeBytes} bytes; the limit is ${largestSourceBytes}`, { place });
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "EACCES") return "permission denied";
  return code === "ENOENT" ? "its link leads to nothing" : message;
}

/** The module's own code. */
export const listModuleSources = ({ sourceDir }: Pick<ModuleInfo, "sourceDir">): string[] =>
  listSources(path.join(sourceDir, "src"));
