/** Log file of a service. It can be read while the service is up and after, without an engine. */
import { closeSync, fstatSync, openSync, readFileSync, readSync, renameSync, statSync, writeSync } from "node:fs";

/** At this size the file is renamed to `NAME.log.1`, and a new one begins. */
const longestBytes = 10_000_000;

export class LogFile {
  private readonly path: string;
  private descriptor: number;
  private sizeBytes: number;

  /** Appends to an existing file. */
  constructor(path: string) {
    this.path = path;
    this.descriptor = openSync(path, "a", 0o600);
    this.sizeBytes = fstatSync(this.descriptor).size;
  }

  /** Appends one line with the time. An error (a full disk) loses the line and does not stop the service. */
  write(line: string): void {
    try {
      if (this.sizeBytes > longestBytes) this.rotate();
      this.sizeBytes += writeSync(this.descriptor, `${new Date().toISOString()} ${line}\n`);
    } catch {
      // The line is lost; the service goes on.
    }
  }

  close(): void {
    closeSync(this.descriptor);
  }

  private rotate(): void {
    closeSync(this.descriptor);
    renameSync(this.path, `${this.path}.1`);
    this.descriptor = openSync(this.path, "a", 0o600);
    this.sizeBytes = 0;
  }
}

/** Reads a log file while a `LogFile` writes it, across rotations. */
export class LogReader {
  private readonly path: string;
  private descriptor: number;
  private position = 0;

  /** Throws the system's error when there is no such file. */
  constructor(path: string) {
    this.path = path;
    this.descriptor = openSync(path, "r");
  }

  /** Returns the lines of the file that the last rotation put aside. */
  older(): string[] {
    const aside = `${this.path}.1`;
    const inode = statSync(aside, { throwIfNoEntry: false })?.ino;
    // A rotation after the constructor has put this reader's own file there.
    if (inode === undefined || inode === fstatSync(this.descriptor).ino) return [];
    return readFileSync(aside, "utf8").split("\n").slice(0, -1);
  }

  /** Returns the whole lines that were written since the last call. */
  read(): string[] {
    const lines = this.rest();
    const current = statSync(this.path, { throwIfNoEntry: false });
    if (current === undefined || current.ino === fstatSync(this.descriptor).ino) return lines;
    // The writer closes a file before it opens the next one, so this file is complete.
    lines.push(...this.rest());
    this.close();
    this.descriptor = openSync(this.path, "r");
    this.position = 0;
    return [...lines, ...this.rest()];
  }

  close(): void {
    closeSync(this.descriptor);
  }

  private rest(): string[] {
    const bytes = Buffer.alloc(Math.max(0, fstatSync(this.descriptor).size - this.position));
    const read = bytes.subarray(0, readSync(this.descriptor, bytes, 0, bytes.length, this.position));
    const end = read.lastIndexOf("\n");
    if (end === -1) return [];
    this.position += end + 1;
    return read.toString("utf8", 0, end).split("\n");
  }
}
