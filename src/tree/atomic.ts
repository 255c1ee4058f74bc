import { randomBytes } from "node:crypto";
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";

/**
 * Writes beside the target and renames: a reader, or a crash, sees the old file or the new one, never a part. What is
 * large can come in pieces, so that nobody has to make one of them. The folder may be another's: what lies there under the
 * draft's name, a link for instance, is never opened, and no name can be laid out before.
 */
export function writeFileAtomically(
  file: string,
  content: string | Uint8Array | readonly Uint8Array[],
  mode = 0o644,
): void {
  makeFolders(path.dirname(file));
  const temporary = `${file}.${process.pid}.${randomBytes(8).toString("hex")}.tmp`;
  const descriptor = openSync(temporary, "wx", mode);
  try {
    try {
      for (const piece of typeof content === "string" || content instanceof Uint8Array ? [content] : content)
        writeFileSync(descriptor, piece);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/**
 * Makes a folder and those above it. Node's own `recursive` form never ends where a file system has no place for a folder,
 * as below /proc, and tells a read-only one as something that is not there. `mode`: permission bits of those that it makes,
 * whatever the umask of this process is.
 */
export function makeFolders(folder: string, mode?: number): void {
  try {
    mkdirSync(folder);
    if (mode !== undefined) chmodSync(folder, mode);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST" && statSync(folder).isDirectory()) return;
    const parent = path.dirname(folder);
    if (code !== "ENOENT" || existsSync(parent)) throw error;
    makeFolders(parent, mode);
    makeFolders(folder, mode);
  }
}
