import type { TreeEntry } from "../../tree/types.ts";

/** Go's `os.FileMode`: permissions in the low 9 bits, the type and special bits above them. */
export const GoMode = {
  directory: 2 ** 31,
  symlink: 2 ** 27,
  setuid: 2 ** 23,
  setgid: 2 ** 22,
  sticky: 2 ** 20,
  /** All bits that mark something other than a regular file. */
  typeMask: 0x8f280000,
} as const;

/**
 * Converts an `lstat` mode and type to an `os.FileMode`. The result is kept positive, because bit 31 marks a folder.
 */
export function goMode(type: TreeEntry["type"], mode: number): number {
  let result = mode & 0o777;
  if ((mode & 0o4000) !== 0) result += GoMode.setuid;
  if ((mode & 0o2000) !== 0) result += GoMode.setgid;
  if ((mode & 0o1000) !== 0) result += GoMode.sticky;
  if (type === "directory") result += GoMode.directory;
  if (type === "symlink") result += GoMode.symlink;
  return result;
}

/** Converts an `os.FileMode` to permission bits for `chmod`. */
export function unixMode(mode: number): number {
  let result = mode & 0o777;
  if ((mode & GoMode.setuid) !== 0) result |= 0o4000;
  if ((mode & GoMode.setgid) !== 0) result |= 0o2000;
  if ((mode & GoMode.sticky) !== 0) result |= 0o1000;
  return result;
}

export function isDirectory(mode: number): boolean {
  return mode >>> 31 === 1;
}

export function isSymlink(mode: number): boolean {
  return (mode & GoMode.symlink) !== 0;
}

export function isRegular(mode: number): boolean {
  return (mode & GoMode.typeMask) === 0;
}
