/**
 * The door to whatever tells that files may have changed. A hint is never the truth: all sources lose events in ordinary
 * cases, so a hint only says when and where to look; the stat scan and the content hash say what changed.
 */
export interface HintSource {
  readonly kind: HintSourceKind;
  /**
   * The folders to look at from now on (absolute), ignored ones not among them. Returns how many were newly registered:
   * what happened in them before cannot have been seen, so the caller looks once more.
   */
  watch(folders: readonly WatchedFolder[]): number;
  /** One more folder, of which nobody has read anything yet: nothing can have been missed in it. */
  add?(folder: WatchedFolder): void;
  close(): void;
}

export type HintSourceKind = "folders" | "recursive" | "polling";

export interface WatchedFolder {
  path: string;
  /** Which folder it is: after a rename the same name can mean another one. */
  identity: bigint;
  /** Only this child matters, e.g. in a folder in which an input has yet to be made. */
  only?: string;
}

export interface HintListener {
  /** Something at or below this absolute path may have changed. */
  onHint(path: string): void;
  /** The source cannot go on, e.g. ENOSPC or EMFILE; another has to take over. */
  onFailure(error: NodeJS.ErrnoException): void;
}
