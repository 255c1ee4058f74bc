/** Joins pieces of streams to whole lines. */
export class LineBuffer {
  private readonly open = new Map<string, string>();

  /** Returns the lines that this piece completes. */
  push(stream: string, text: string): string[] {
    const lines = `${this.open.get(stream) ?? ""}${text}`.split("\n");
    this.open.set(stream, lines.pop()!);
    return lines;
  }

  /** Returns and clears the unfinished lines. */
  rest(): { stream: string; text: string }[] {
    const rest = [...this.open].filter(([, text]) => text !== "").map(([stream, text]) => ({ stream, text }));
    this.open.clear();
    return rest;
  }
}
