/** A small model of a terminal: what our escape sequences make of its screen. An unknown one is an error. */
export class TerminalModel {
  columns: number;
  rows: number;
  isCursorVisible = true;
  /** Rows that scrolled away, then those on the screen. */
  private lines: string[] = [""];
  private row = 0;
  private column = 0;
  private rest = "";

  constructor(columns: number, rows: number) {
    this.columns = columns;
    this.rows = rows;
  }

  /** What can be seen now, without the empty rows at the end. */
  get screen(): string[] {
    const visible = this.lines.slice(-this.rows).map((line) => line.trimEnd());
    while (visible.at(-1) === "") visible.pop();
    return visible;
  }

  /** All that was ever printed and not drawn over. */
  get everything(): string {
    return this.lines.map((line) => line.trimEnd()).join("\n");
  }

  write(text: string): void {
    /* oxlint-disable no-control-regex -- it reads them */
    const pattern = /\u001b\[(\??[\d;]*)([A-Za-z])|\u001b|[\s\S]/gu;
    const all = this.rest + text;
    const start = /\u001b(\[[\d;?]*)?$/.exec(all)?.index ?? all.length;
    /* oxlint-enable no-control-regex */
    this.rest = all.slice(start);
    for (const [whole, words, letter] of all.slice(0, start).matchAll(pattern)) {
      if (letter !== undefined) this.control(words!, letter);
      else if (whole === "\n") this.down();
      else if (whole === "\r") this.column = 0;
      else if (whole === "\u0007") continue;
      else if (whole < " ") throw new Error(`the terminal got ${JSON.stringify(whole)}`);
      else this.put(whole);
    }
  }

  private control(words: string, letter: string): void {
    if (letter === "m" || words === "?2026") return;
    if (words === "?25") this.isCursorVisible = letter === "h";
    else if (letter === "A") this.row = Math.max(this.lines.length - this.rows, 0, this.row - Number(words || 1));
    else if (letter === "G") this.column = Number(words || 1) - 1;
    else if (letter === "K") this.lines[this.row] = this.line.slice(0, this.column);
    else if (letter === "J")
      this.lines.length = ((this.lines[this.row] = this.line.slice(0, this.column)), this.row + 1);
    else throw new Error(`the terminal got ESC[${words}${letter}`);
  }

  private get line(): string {
    return this.lines[this.row] ?? "";
  }

  private down(): void {
    this.row++;
    // The line discipline turns \n into \r\n.
    this.column = 0;
    if (this.row === this.lines.length) this.lines.push("");
  }

  private put(character: string): void {
    if (this.column === this.columns) this.down();
    const line = this.line.padEnd(this.column);
    this.lines[this.row] = line.slice(0, this.column) + character + line.slice(this.column + 1);
    this.column++;
  }
}
