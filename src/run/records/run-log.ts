import { closeSync, writeSync } from "node:fs";
import { outputText } from "../../text/index.ts";

/** Longest part of an output that an error may repeat, in characters. */
const keptTail = 64 * 1024;

/** The whole output of one run in one file. A full disk costs the rest of the log, not the run. */
export class RunLog {
  /** Path of the log. */
  readonly file: string;
  private readonly openFile: () => number | undefined;
  private readonly onLost: (reason: string) => void;
  private descriptor: number | undefined;
  private state: "new" | "open" | "lost" = "new";
  /** End of what was written. */
  private tail = "";

  constructor(file: string, openFile: () => number | undefined, onLost: (reason: string) => void) {
    this.file = file;
    this.openFile = openFile;
    this.onLost = onLost;
  }

  /** Creates the file; only once, however often the function is tried. */
  open(): void {
    if (this.state !== "new") return;
    this.descriptor = this.openFile();
    this.state = this.descriptor === undefined ? "lost" : "open";
  }

  /** False if no part of the log was kept. */
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

  /** Ends the log with an error, leaving out the lines that the command has already printed. */
  writeError(text: string): void {
    const shown = (line: string): string => outputText(line).trim();
    // An error of several commands indents their lines.
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
