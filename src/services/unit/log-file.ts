/** What a service printed, in a file: readable while and after it is up, without an engine. */
import { closeSync, fstatSync, openSync, renameSync, writeSync } from "node:fs";

/** Then the file becomes `NAME.log.1`, and a new one begins. */
const longestBytes = 10_000_000;

export class LogFile {
  private readonly path: string;
  private descriptor: number;
  private sizeBytes: number;

  /** Goes on where there is one. */
  constructor(path: string) {
    this.path = path;
    this.descriptor = openSync(path, "a", 0o600);
    this.sizeBytes = fstatSync(this.descriptor).size;
  }

  /** One line. A full disk costs the line, not the service. */
  write(line: string): void {
    try {
      if (this.sizeBytes > longestBytes) this.rotate();
      this.sizeBytes += writeSync(this.descriptor, `${new Date().toISOString()} ${line}\n`);
    } catch {
      // The service goes on.
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
