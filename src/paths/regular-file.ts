import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";

/** What is there is no file, or larger than such a file would be. */
export class UnfitFile extends Error {
  override readonly name = "UnfitFile";
}

/** What people write by hand is smaller. */
const defaultMaxBytes = 4 * 1024 * 1024;

/**
 * Reads a file that somebody else may have put there. A pipe that nobody writes to would be waited for, a device may have no
 * end, and a file with holes costs its author nothing: those throw an `UnfitFile`, what is not there what `openSync` throws.
 * `cut`: of a file that is too large the beginning is given.
 */
export function readRegular(file: string, { maxBytes = defaultMaxBytes, cut = false } = {}): Buffer {
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) throw new UnfitFile(stats.isDirectory() ? "it is a folder" : "it is no file");
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
