import type { Content, HeldFolder } from "./held-folder.ts";

/** A folder that stays open while its files are read: a name may lead elsewhere by then, this leads there. */
export class SealedReader {
  /** The last ones first. */
  readonly names: readonly string[];
  private readonly held: HeldFolder;
  private readonly open: (name: string) => Content;
  private isOpen = true;

  constructor(held: HeldFolder, names: readonly string[], open: (name: string) => Content) {
    this.held = held;
    this.names = names;
    this.open = open;
  }

  /** What was sealed under this name; `unreadable` for what this user did not write here. */
  read(name: string): Content {
    return this.isOpen ? this.open(name) : "absent";
  }

  close(): void {
    if (this.isOpen) this.held.close();
    this.isOpen = false;
  }
}
