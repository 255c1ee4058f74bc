import { lstat, mkdir, stat } from "node:fs/promises";
import path from "node:path";

/** A folder and those above it. Node's own `recursive` never ends where a file system has no place for a folder, as below /proc. */
export async function makeFolders(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST" && (await stat(folder)).isDirectory()) return;
    const parent = path.dirname(folder);
    if (code !== "ENOENT" || (await lstat(parent).catch(() => undefined)) !== undefined) throw error;
    await makeFolders(parent);
    await makeFolders(folder);
  }
}
