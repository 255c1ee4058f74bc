import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";

/** What is there is no file, or larger than such a file would be. */
export class UnfitFile extends Error {
  override readonly name = "UnfitFile";
}

/** What people write by hand is smaller. */
export const defaultMaxBytes = 4 * 1024 * 1024;

/**
 * Reads a file that somebody else may have put there. A pipe that nobody writes to would be waited for, a device may have no
 * end, and a file with holes costs its author nothing: those throw an `UnfitFile`, what is not there what `openSync` throws.
 * `cut`: of a file that is too large the beginning is given. Without `follow` a link is no file either.
 */
export function readRegular(
  file: string,
  {
    maxBytes = defaultMaxBytes,
    cut = false,
    follow = true,
  }: { maxBytes?: number; cut?: boolean; follow?: boolean } = {},
): Buffer {
  const descriptor = openRegular(file, follow);
  try {
    const stats = fstatSync(descriptor);
    if (stats.size > maxBytes && !cut) throw new UnfitFile(`it has ${stats.size} bytes; the limit is ${maxBytes}`);
    const content = Buffer.allocUnsafe(Math.min(stats.size, maxBytes));
    let length = 0;
    while (length < content.length) {
      const count = readSync(descriptor, content, length, content.length - length, length);
      if (count === 0) break;
      length += count;
    }
    return content.subarray(0, length);
  } finally {
    closeSync(descriptor);
  }
}

/** A descriptor to read a file from, for the caller to close; what is no file is not waited for. */
export function openRegular(file: string, follow = true): number {
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY | (follow ? 0 : constants.O_NOFOLLOW);
  let descriptor: number;
  try {
    descriptor = openSync(file, flags);
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    // A socket, a device that is not there; a link where none is followed, or one that leads to itself.
    if (code === "ENXIO" || code === "ENODEV") throw new UnfitFile("it is no file");
    if (code === "ELOOP") throw new UnfitFile(follow ? "its link leads to itself" : "it is a link");
    throw error;
  }
  const stats = fstatSync(descriptor);
  if (stats.isFile()) return descriptor;
  closeSync(descriptor);
  throw new UnfitFile(stats.isDirectory() ? "it is a folder" : "it is no file");
}
