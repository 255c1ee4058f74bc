import type { Content, HeldFolder } from "./held-folder.ts";

/** Reads files of a folder that is held open, since its name may lead elsewhere by the time they are read. */
export class SealedReader {
  /** Sorted in descending order. */
  readonly names: readonly string[];
  private readonly held: HeldFolder;
  private readonly open: (name: string) => Content;
  private isOpen = true;

  constructor(held: HeldFolder, names: readonly string[], open: (name: string) => Content) {
    this.held = held;
    this.names = names;
    this.open = open;
  }

  /** Returns the content sealed under this name; `unreadable` if this user did not write it here. */
  read(name: string): Content {
    return this.isOpen ? this.open(name) : "absent";
  }

  close(): void {
    if (this.isOpen) this.held.close();
    this.isOpen = false;
  }
}
