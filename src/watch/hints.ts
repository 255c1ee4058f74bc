/**
 * Interface of everything that reports possible file changes. A hint is never the truth: all sources lose events in
 * ordinary cases, so a hint only says when and where to scan. The `stat` scan and the content hash decide what changed.
 */
export interface HintSource {
  readonly kind: HintSourceKind;
  /**
   * Sets the folders to watch (absolute), without ignored ones. Returns how many are new: earlier events in them cannot
   * have been seen, so the caller scans once more.
   */
  watch(folders: readonly WatchedFolder[]): number;
  /** Adds a folder that has not been read yet, so nothing in it can have been missed. */
  add?(folder: WatchedFolder): void;
  close(): void;
}

export type HintSourceKind = "folders" | "recursive" | "polling";

export interface WatchedFolder {
  path: string;
  /** Identity of the folder: after a rename its name may mean another one. */
  identity: bigint;
  /** If set, only this child matters, e.g. in a folder where an input does not exist yet. */
  only?: string;
}

export interface HintListener {
  /** Something at or below this absolute path may have changed. */
  onHint(path: string): void;
  /** The source cannot go on, e.g. because of ENOSPC or EMFILE; another one has to take over. */
  onFailure(error: NodeJS.ErrnoException): void;
}
