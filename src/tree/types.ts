/** One path of a host tree, as `lstat` sees it. Paths are relative to the root, `/`-separated, without a leading `./`. */
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
  /** Directories only, 0 where the file system does not know: an inode number can pass to another folder. */
  birthtimeNs?: bigint;
  uid: number;
  gid: number;
  /** Link text, symlinks only. */
  linkTarget?: string;
}

/** What part of a host directory is meant; pattern semantics are those of moby/patternmatcher (.dockerignore). */
export interface TreeFilter {
  include?: readonly string[];
  exclude?: readonly string[];
  /** Apply the `.gitignore` files of the tree (and of its git root), as `Host.directory(gitignore: true)` does. */
  gitignore?: boolean;
  /** With `gitignore`, the user's global excludes too, as the weakest. For what we look at ourselves; engines don't know it. */
  globalExcludes?: boolean;
  /**
   * What nobody means who names a folder of a project: what git ignores for this user (`.gitignore` files, `info/exclude`,
   * the global excludes), what is installed in `node_modules`, and what editors leave beside files. What git tracks is
   * none of that, whatever a rule says. `personal` is a part of it: what is this user's alone, the global excludes and what
   * editors leave, unless a rule of the project brings it back. For what we look at ourselves; engines don't know it.
   */
  leaveOut?: "ignored" | "personal";
}

/** A sorted list of what is in a tree; parents come before their children, siblings in byte order. */
export interface TreeListing {
  /** Real path of the root. */
  root: string;
  entries: TreeEntry[];
  /** Folders that could not be read, with the reason. Never silently dropped. */
  unreadable: { path: string; reason: string }[];
}
