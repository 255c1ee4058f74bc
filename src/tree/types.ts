/**
 * One path of a host tree as `lstat` sees it. Paths are relative to the root, `/`-separated, without a leading `./`.
 */
export interface TreeEntry {
  path: string;
  type: "file" | "directory" | "symlink";
  /** Permission bits, `mode & 0o7777`. */
  mode: number;
  /** 0 for directories and symlinks. */
  sizeBytes: number;
  mtimeNs: bigint;
  ctimeNs: bigint;
  inode: bigint;
  /** Only for directories, as inode numbers are reused; 0 if the file system does not record it. */
  birthtimeNs?: bigint;
  uid: number;
  gid: number;
  /** Link text, only for symlinks. */
  linkTarget?: string;
  /** Path below the root of the file that has the content, where that is not `path`. */
  contentPath?: string;
}

/** Selects a part of a host directory; patterns have the semantics of moby/patternmatcher (.dockerignore). */
export interface TreeFilter {
  include?: readonly string[];
  exclude?: readonly string[];
  /** Apply the `.gitignore` files of the tree (and of its git root), as `Host.directory(gitignore: true)` does. */
  gitignore?: boolean;
  /**
   * With `gitignore`, also apply the user's global excludes, as the weakest rules. Only for fastloop's own scans;
   * engines do not support it.
   */
  globalExcludes?: boolean;
  /**
   * Leaves out what nobody means when naming a project's folder: what git ignores for this user (`.gitignore` files,
   * `info/exclude`, the global excludes), packages installed in `node_modules`, and leftovers of editors. Files that
   * git tracks stay, whatever a rule says. `personal` is a part of this: only what is private to the user, the global
   * excludes and editors' leftovers, unless a rule of the project includes it again. Only for fastloop's own scans;
   * engines do not support it.
   */
  leaveOut?: "ignored" | "personal";
}

/** Sorted list of a tree's content; parents come before their children, siblings in byte order. */
export interface TreeListing {
  /** Real path of the root. */
  root: string;
  entries: TreeEntry[];
  /** Folders that could not be read, with the reason. Never silently dropped. */
  unreadable: { path: string; reason: string }[];
}
