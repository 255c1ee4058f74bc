import { closeSync, writeSync } from "node:fs";
import { outputText } from "../../text/index.ts";

/** An error repeats no more of an output than this. */
const keptTail = 64 * 1024;

/** The whole output of one run in one file. A disk that is full costs the rest of the log, not the run. */
export class RunLog {
  /** Where it can be read. */
  readonly file: string;
  private readonly openFile: () => number | undefined;
  private readonly onLost: (reason: string) => void;
  private descriptor: number | undefined;
  private state: "new" | "open" | "lost" = "new";
  /** The end of what was written, in whole pieces. */
  private tail = "";

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
    this.tail = (this.tail + text).slice(-keptTail);
    try {
      for (let rest = Buffer.from(text); rest.length > 0;) rest = rest.subarray(writeSync(this.descriptor, rest));
    } catch (error) {
      this.onLost((error as NodeJS.ErrnoException).code ?? String(error));
      this.close();
    }
  }

  /** Ends the log with an error, but for those of its lines that the command has printed: each line is there once. */
  writeError(text: string): void {
    const shown = (line: string): string => outputText(line).trim();
    // An error of several commands shows their lines further in.
    const printed = new Set(this.tail.split("\n").map(shown));
    const lines = text.split("\n").filter((line, index) => index === 0 || !printed.has(shown(line)));
    const start = this.tail === "" || this.tail.endsWith("\n") ? "" : "\n";
    this.write(`${start}${lines.join("\n")}\n`);
  }

  close(): void {
    if (this.descriptor !== undefined) closeSync(this.descriptor);
    this.descriptor = undefined;
  }
}
