/** What is kept of a stream for an error; Dagger's limit. */
const keptChars = 100 * 1024;

/** The end of what a command printed, and how much there was before it. */
export class KeptOutput {
  private kept = "";
  private omittedBytes = 0;

  push(text: string): void {
    this.kept += text;
    // In large steps: each cut copies what is kept.
    if (this.kept.length > 2 * keptChars) this.cut();
  }

  tail(): string {
    this.cut();
    return this.omittedBytes === 0 ? this.kept : `[omitting ${this.omittedBytes} bytes]...${this.kept}`;
  }

  private cut(): void {
    if (this.kept.length <= keptChars) return;
    const dropped = this.kept.length - keptChars;
    this.omittedBytes += Buffer.byteLength(this.kept.slice(0, dropped));
    this.kept = this.kept.slice(dropped);
  }
}
