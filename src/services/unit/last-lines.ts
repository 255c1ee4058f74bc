const mostLines = 20;

/** Keeps the last lines of an output, for the message that says why it ended. */
export class LastLines {
  private lines: string[] = [];

  push(line: string): void {
    this.lines.push(line);
    if (this.lines.length > mostLines) this.lines.shift();
  }

  clear(): void {
    this.lines = [];
  }

  below(reason: string): string {
    return [reason, ...this.lines].join("\n");
  }
}
