import type { TreeEntry, TreeListing } from "../../tree/index.ts";

/** A file that moves all the time is laid only where it travels inside the query: the engine reads a larger one later. */
const largestLaidBytes = 128 * 1024;
const strictAttempts = 2;

/**
 * What moved while a tree was sent. What concerns the caller has to be read again; what does not is left out of the next
 * attempt, with its folder where it moves again and again, so that a program that never rests keeps nobody from running.
 */
export class Restless {
  private readonly concerns: (path: string) => boolean;
  private readonly leftOut = new Set<string>();
  private attempts = 0;
  /** What moved in the last attempt and concerns the caller. */
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

  /** Leaves these paths out of the next attempt, and what is in them. */
  hide(paths: readonly string[]): void {
    for (const path of paths) this.leftOut.add(path);
  }

  /** Takes in what moved during an attempt. */
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
   * Whether nothing can have come and gone between two listings unseen, which shows in a folder's times. Where that
   * happens again and again, it is none of the files that concern the caller: those would have been seen once.
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

  /** Whether a file would have to be read by the engine, some time later. */
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

/** The listing, but that nobody can say what these files hold: they differ from whatever they are compared with. */
export function asUnknown(listing: TreeListing, files: readonly string[]): TreeListing {
  if (files.length === 0) return listing;
  const unknown = new Set(files);
  const entries = listing.entries.map((entry) =>
    unknown.has(entry.path) ? { ...entry, sizeBytes: -1, inode: -1n } : entry,
  );
  return { ...listing, entries };
}
