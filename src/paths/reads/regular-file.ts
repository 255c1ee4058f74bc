import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { currentRecorder } from "./read-recorder.ts";

/** The path is not a regular file, or the file is too large. */
export class UnfitFile extends Error {
  override readonly name = "UnfitFile";
}

/** Files that people write by hand are smaller. */
export const defaultMaxBytes = 4 * 1024 * 1024;

/**
 * Reads a file that somebody else may have put there. Reading a pipe without a writer would block, a device may be
 * endless, and a sparse file costs its author nothing: these throw an `UnfitFile`. A missing file throws what
 * `openSync` throws. With `cut`, a file that is too large is read up to `maxBytes`. Without `follow`, a link counts as
 * no file.
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

/** Returns the text of a file that somebody else may have put there; empty if it cannot be read, whatever the reason. */
export function regularTextIfThere(file: string): string {
  try {
    return readRegular(file).toString("utf8");
  } catch {
    return "";
  }
}

/**
 * Opens a file for reading without blocking; the caller closes the descriptor. Throws an `UnfitFile` if it is not a
 * regular file.
 */
export function openRegular(file: string, follow = true): number {
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY | (follow ? 0 : constants.O_NOFOLLOW);
  const recorder = currentRecorder();
  recorder?.content(file);
  if (!follow) recorder?.link(file);
  let descriptor: number;
  try {
    descriptor = openSync(file, flags);
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    // A socket or a missing device; or a link that is not followed, or that leads to itself.
    if (code === "ENXIO" || code === "ENODEV") throw new UnfitFile("it is no file");
    if (code === "ELOOP") throw new UnfitFile(follow ? "its link leads to itself" : "it is a link");
    throw error;
  }
  const stats = fstatSync(descriptor);
  if (stats.isFile()) return descriptor;
  closeSync(descriptor);
  throw new UnfitFile(stats.isDirectory() ? "it is a folder" : "it is no file");
}
