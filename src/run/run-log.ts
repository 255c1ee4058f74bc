import { closeSync, writeSync } from "node:fs";

/** The whole output of one run in one file. A disk that is full costs the rest of the log, not the run. */
export class RunLog {
  /** Where it can be read. */
  readonly file: string;
  private readonly openFile: () => number | undefined;
  private readonly onLost: (reason: string) => void;
  private descriptor: number | undefined;
  private state: "new" | "open" | "lost" = "new";

  constructor(file: string, openFile: () => number | undefined, onLost: (reason: string) => void) {
    this.file = file;
    this.openFile = openFile;
    this.onLost = onLost;
  }

  /** Makes the file; once, however often the function is tried. */
  open(): void {
    if (this.state !== "new") return;
    this.descriptor = this.openFile();
    this.state = this.descriptor === undefined ? "lost" : "open";
  }

  /** False where no part of it was kept. */
  get isThere(): boolean {
    return this.state === "open";
  }

  write(text: string): void {
    if (this.descriptor === undefined) return;
    try {
      for (let rest = Buffer.from(text); rest.length > 0;) rest = rest.subarray(writeSync(this.descriptor, rest));
    } catch (error) {
      this.onLost((error as NodeJS.ErrnoException).code ?? String(error));
      this.close();
    }
  }

  close(): void {
    if (this.descriptor !== undefined) closeSync(this.descriptor);
    this.descriptor = undefined;
  }
}
