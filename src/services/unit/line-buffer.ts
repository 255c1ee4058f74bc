/** Pieces of streams as whole lines. */
export class LineBuffer {
  private readonly open = new Map<string, string>();

  /** The lines that the piece ends. */
  push(stream: string, text: string): string[] {
    const lines = `${this.open.get(stream) ?? ""}${text}`.split("\n");
    this.open.set(stream, lines.pop()!);
    return lines;
  }

  /** What was begun and never ended. */
  rest(): { stream: string; text: string }[] {
    const rest = [...this.open].filter(([, text]) => text !== "").map(([stream, text]) => ({ stream, text }));
    this.open.clear();
    return rest;
  }
}
