import type { Dirent } from "node:fs";

/**
 * What a command reads of the file system, so that a later command can tell whether it would read the same. Helpers that read
 * tell the recorder just before they do: a change in between then counts as one.
 */
export interface ReadRecorder {
  /** An absolute folder with all its children, sorted by name, and the entries of those that count. Told when it was read. */
  folder(folder: string, children: readonly Dirent[], entries: readonly RecordedEntry[]): void;
  /** An absolute file whose content is read next, existing or not. Follows links. */
  content(file: string): void;
  /** An absolute path of which existence and type count. Follows links. */
  kind(file: string): void;
  /** An absolute path of which the type counts, and where it leads if it is a link. */
  link(file: string): void;
  /** An absolute folder of which the names count, existing or not. */
  times(folder: string): void;
  /** What was read cannot be checked later, for the given reason. */
  doubtful(why: string): void;
}

/** What `lstat` says of a name in a folder. */
export interface RecordedEntry {
  path: string;
  type: "file" | "directory" | "symlink";
  mode: number;
  sizeBytes: number;
  uid: number;
  gid: number;
  mtimeNs: bigint;
  ctimeNs: bigint;
  inode: bigint;
  linkTarget?: string | undefined;
}

let current: ReadRecorder | undefined;

/** Records in `recorder` what `work` reads; `work` must be synchronous. */
export function recordingIn<T>(recorder: ReadRecorder | undefined, work: () => T): T {
  const before = current;
  current = recorder;
  try {
    return work();
  } finally {
    current = before;
  }
}

/** Does the same for work that waits. What the process reads meanwhile for other reasons is recorded as well. */
export async function recordingDuring<T>(recorder: ReadRecorder | undefined, work: () => Promise<T>): Promise<T> {
  const before = current;
  current = recorder;
  try {
    return await work();
  } finally {
    current = before;
  }
}

/** Returns the recorder in use; undefined if nothing is recorded. */
export function currentRecorder(): ReadRecorder | undefined {
  return current;
}
