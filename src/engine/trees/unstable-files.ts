import type { TreeEntry, TreeListing } from "../../tree/index.ts";

/** A file that keeps changing is laid only if it fits into the query, because the engine reads a larger one later. */
const largestLaidBytes = 128 * 1024;
const strictAttempts = 2;

/**
 * Tracks what changed while a tree was sent. Files that concern the caller have to be read again. Others are left out
 * of the next attempt, with their folder if they change repeatedly, so that a program that never rests cannot keep a
 * run waiting.
 */
export class UnstableFiles {
  private readonly concerns: (path: string) => boolean;
  private readonly leftOut = new Set<string>();
  private attempts = 0;
  /** Files that changed in the last attempt and concern the caller. */
  concerned: string[] = [];

  constructor(concerns: (path: string) => boolean = () => true) {
    this.concerns = concerns;
  }

  /** Files and folders that are left out. */
  get paths(): string[] {
    return [...this.leftOut];
  }

  mattering(moved: readonly string[]): string[] {
    return moved.filter(this.concerns);
  }

  /** Leaves these paths, and what is in them, out of the next attempt. */
  hide(paths: readonly string[]): void {
    for (const path of paths) this.leftOut.add(path);
  }

  /** Records what changed during an attempt. */
  note(moved: readonly string[], listing: TreeListing): void {
    this.attempts++;
    this.concerned = this.mattering(moved);
    for (const file of moved) {
      if (this.concerns(file)) continue;
      const folder = file.slice(0, Math.max(0, file.lastIndexOf("/")));
      const isNobodys =
        this.attempts > 1 &&
        folder !== "" &&
        !listing.entries.some(({ path }) => path.startsWith(`${folder}/`) && this.concerns(path));
      this.leftOut.add(isNobodys && !this.concerns(folder) ? folder : file);
    }
  }

  /**
   * Reports whether unchanged folder times rule out that a file was created and deleted between two listings. After
   * repeated attempts such a file is none that concerns the caller, as it would have been seen once.
   */
  allowsTouched(before: TreeListing, after: TreeListing): boolean {
    if (this.attempts >= strictAttempts) return true;
    const folders = new Map(
      before.entries.flatMap((entry) => (entry.type === "directory" ? [[entry.path, entry]] : [])),
    );
    return after.entries.every((entry) => {
      const old = entry.type === "directory" ? folders.get(entry.path) : undefined;
      return old === undefined || old.ctimeNs === entry.ctimeNs;
    });
  }

  without(listing: TreeListing): TreeListing {
    if (this.leftOut.size === 0) return listing;
    return { ...listing, entries: listing.entries.filter(({ path }) => !this.isLeftOut(path)) };
  }

  /** Reports whether the engine would have to read a file later, when it may have changed. */
  isUnreadable({ path, type, sizeBytes }: TreeEntry): boolean {
    return this.leftOut.size > 0 && this.isLeftOut(path) && type === "file" && sizeBytes > largestLaidBytes;
  }

  private isLeftOut(path: string): boolean {
    if (this.leftOut.has(path)) return true;
    for (let slash = path.indexOf("/"); slash > 0; slash = path.indexOf("/", slash + 1)) {
      if (this.leftOut.has(path.slice(0, slash))) return true;
    }
    return false;
  }
}

/** Marks the content of these files as unknown, so that they differ from anything they are compared with. */
export function asUnknown(listing: TreeListing, files: readonly string[]): TreeListing {
  if (files.length === 0) return listing;
  const unknown = new Set(files);
  const entries = listing.entries.map((entry) =>
    unknown.has(entry.path) ? { ...entry, sizeBytes: -1, inode: -1n } : entry,
  );
  return { ...listing, entries };
}
