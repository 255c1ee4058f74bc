import type { Paint } from "../text.ts";
import { columnsOf, type StyledLine } from "./styled-line.ts";

/** What the view needs of a terminal's stream. */
export interface TerminalStream {
  readonly columns: number;
  readonly rows: number;
  write(text: string): unknown;
}

const escape = "\u001b[";
const hideCursor = `${escape}?25l`;
const showCursor = `${escape}?25h`;
/** Synchronized update: terminals that support it show everything in between at once; others ignore it. */
const beginUpdate = `${escape}?2026h`;
const endUpdate = `${escape}?2026l`;
const clearRestOfLine = `${escape}K`;
const clearBelow = `${escape}J`;

/**
 * Lines at the bottom of the terminal that are redrawn in place; printed lines go above and scroll away. Each change is
 * a single write, and nothing is cleared before it is overwritten, so that nothing flickers.
 */
export class LiveScreen {
  private readonly stream: TerminalStream;
  private readonly paint: Paint;
  private drawn: readonly StyledLine[] = [];
  private drawnText = "";
  private above = "";

  constructor(stream: TerminalStream, paint: Paint) {
    this.stream = stream;
    this.paint = paint;
  }

  /** Prints a line above the live ones with the next `draw`. */
  print(line: string): void {
    this.above += `${line.replaceAll("\n", `${clearRestOfLine}\n`)}${clearRestOfLine}\n`;
  }

  draw(lines: readonly StyledLine[]): void {
    const text = lines
      .map(
        (line) =>
          line.map(({ text: piece, style }) => (style === undefined ? piece : this.paint(style, piece))).join("") +
          clearRestOfLine,
      )
      .join("\n");
    if (text === this.drawnText && this.above === "") return;
    this.stream.write(`${beginUpdate}${hideCursor}${this.toTop()}${this.above}${text}${clearBelow}\r${endUpdate}`);
    this.drawn = lines;
    this.drawnText = text;
    this.above = "";
  }

  /** Forces the next draw after the window's size changed, as the same lines may take a different number of rows. */
  forgetText(): void {
    this.drawnText = "";
  }

  /** Leaves the lines where they are and puts the cursor below them. */
  close(): void {
    const below = this.drawn.length === 0 ? "" : "\n";
    this.stream.write(
      `${this.above === "" ? "" : `${this.toTop()}${this.above}${this.drawnText}${clearBelow}`}${below}${showCursor}`,
    );
    this.drawn = [];
    this.drawnText = "";
    this.above = "";
  }

  /**
   * Moves the cursor from the start of the last line to the top. Counts wrapped rows, as terminals wrap lines that are
   * too long for a window that became narrower.
   */
  private toTop(): string {
    const width = Math.max(1, this.stream.columns);
    const rows = this.drawn.slice(0, -1).reduce((sum, line) => {
      const columns = line.reduce((total, piece) => total + columnsOf(piece.text), 0);
      return sum + Math.max(1, Math.ceil(columns / width));
    }, 0);
    return rows > 0 ? `\r${escape}${rows}A` : "\r";
  }
}
