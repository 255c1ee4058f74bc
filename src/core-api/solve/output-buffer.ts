/** Number of bytes of a stream that are kept for errors. Same as Dagger's limit. */
const keptBytes = 100 * 1024;

/** Keeps the end of a command's output and counts the bytes before it. */
export class OutputBuffer {
  private kept = "";
  private droppedBytes = 0;

  push(text: string): void {
    this.kept += text;
    // Drop in large steps, because each cut copies the kept text. Comparing characters is safe: each has at least one
    // byte.
    if (this.kept.length > 2 * keptBytes) this.drop(this.kept.length - keptBytes);
  }

  /** Returns the kept end. Like Dagger's, the note about omitted bytes overwrites the first bytes of it. */
  tail(): string {
    const bytes = Buffer.from(this.kept);
    const omittedBytes = this.droppedBytes + bytes.length - keptBytes;
    if (omittedBytes <= 0) return this.kept;
    const last = bytes.subarray(-keptBytes);
    last.write(`[omitting ${omittedBytes} bytes]...`);
    return last.toString();
  }

  private drop(chars: number): void {
    // Do not cut a surrogate pair in half.
    const isHalf = /[\uDC00-\uDFFF]/.test(this.kept[chars]!);
    const end = isHalf ? chars - 1 : chars;
    this.droppedBytes += Buffer.byteLength(this.kept.slice(0, end));
    this.kept = this.kept.slice(end);
  }
}
