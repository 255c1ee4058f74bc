/** What is kept of a stream for an error; Dagger's limit. */
const keptBytes = 100 * 1024;

/** The end of what a command printed, and how much there was before it. */
export class KeptOutput {
  private kept = "";
  private droppedBytes = 0;

  push(text: string): void {
    this.kept += text;
    // In large steps: each cut copies what is kept. A character has a byte at least.
    if (this.kept.length > 2 * keptBytes) this.drop(this.kept.length - keptBytes);
  }

  /** As Dagger has it: the words on what is missing take the place of the first bytes of what is kept. */
  tail(): string {
    const bytes = Buffer.from(this.kept);
    const omittedBytes = this.droppedBytes + bytes.length - keptBytes;
    if (omittedBytes <= 0) return this.kept;
    const last = bytes.subarray(-keptBytes);
    last.write(`[omitting ${omittedBytes} bytes]...`);
    return last.toString();
  }

  private drop(chars: number): void {
    // Both halves of a character, or none.
    const isHalf = /[\uDC00-\uDFFF]/.test(this.kept[chars]!);
    const end = isHalf ? chars - 1 : chars;
    this.droppedBytes += Buffer.byteLength(this.kept.slice(0, end));
    this.kept = this.kept.slice(end);
  }
}
