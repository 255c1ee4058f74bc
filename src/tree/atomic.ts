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
 * Writes beside the target and renames, so that a reader, or a crash, sees the old file or the new one, never a part.
 * Large content may come in pieces, so that nobody has to join them. The folder may belong to somebody else: an
 * existing file with the draft's name, such as a link, is never opened, and the name cannot be predicted.
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
 * Creates a folder and its parents. Node's own `recursive` form never ends on file systems that cannot hold the folder,
 * such as below /proc, and reports a read-only one as missing. `mode` sets the permission bits of created folders,
 * whatever the process's umask is.
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
