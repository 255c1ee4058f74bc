/** Log file of a service. It can be read while the service is up and after, without an engine. */
import { closeSync, fstatSync, openSync, renameSync, writeSync } from "node:fs";

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
