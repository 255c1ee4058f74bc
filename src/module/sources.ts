import { closeSync, fstatSync, readdirSync } from "node:fs";
import path from "node:path";
import { UserError } from "../errors/index.ts";
import { openRegular } from "../paths/index.ts";
import type { ModuleInfo } from "./types.ts";

/**
 * Returns the .ts and .mts files below `folder` that the engine imports: all except those in `dist` and `node_modules`.
 */
export function listSources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    if (entry.name.includes("node_modules") || entry.name.includes("dist")) return [];
    if (entry.isDirectory()) return listSources(file);
    // Opening a pipe with such a name would block.
    if (!entry.isFile() && !entry.isSymbolicLink()) return [];
    return [".ts", ".mts"].includes(path.extname(entry.name)) && !entry.name.endsWith(".d.ts") ? [file] : [];
  });
}

/**
 * Size limit of a source file, in bytes, for the compiler and all other readers. Generated ones are smaller too; the
 * compiler takes a hundred times the memory.
 */
export const largestSourceBytes = 4 * 1024 * 1024;

/**
 * Throws a `UserError` for a source that is not a regular file or too large: reading it could block, or fill the
 * memory.
 */
export function requireSources(root: string, sourceDir: string): void {
  for (const file of listSources(path.join(sourceDir, "src"))) requireFile(root, file);
  requireSettings(root, [root, sourceDir, path.join(sourceDir, "src")]);
}

/** Does the same for the files that compilers find by their names in these folders. */
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

/** Returns the source files of the module itself. */
export const listModuleSources = ({ sourceDir }: Pick<ModuleInfo, "sourceDir">): string[] =>
  listSources(path.join(sourceDir, "src"));
