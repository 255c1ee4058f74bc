import type { LogLine } from "../../types.ts";

const mostLines = 100_000;
/** Longest time that a search blocks the page at once. */
const sliceMs = 8;

/** Removes color sequences; searches use the plain text. */
// oxlint-disable-next-line no-control-regex -- the sequences that are taken out
const styles = /\u001b\[[0-9;:]*m/g;
export const plainText = (text: string): string => (text.includes("\u001b") ? text.replace(styles, "") : text);

/** Stores the newest lines of all logs. */
export class LogBuffer {
  lines: LogLine[] = [];
  private readonly views = new Set<LogView>();

  get end(): number {
    return this.lines.at(-1)?.[0] ?? 0;
  }

  add(lines: readonly LogLine[]): void {
    // Pushed one by one, as a call can't take a hundred thousand arguments.
    for (const line of lines) this.lines.push(line);
    if (this.lines.length > mostLines * 1.1) this.lines = this.lines.slice(-mostLines);
    for (const view of this.views) view.take(lines, this.lines[0]?.[0] ?? 0);
  }

  clear(): void {
    this.lines = [];
    for (const view of this.views) view.begin();
  }

  view(node: string | undefined, query: string, onChange: () => void): LogView {
    const view = new LogView(this, node, query.toLowerCase(), onChange, () => this.views.delete(view));
    this.views.add(view);
    view.begin();
    return view;
  }
}

/** Lines of one node (or of all) that contain a text. */
export class LogView {
  lines: LogLine[] = [];
  isSearching = false;
  private readonly buffer: LogBuffer;
  private readonly node: string | undefined;
  private readonly query: string;
  private readonly onChange: () => void;
  readonly close: () => void;
  private round = 0;

  constructor(buffer: LogBuffer, node: string | undefined, query: string, onChange: () => void, close: () => void) {
    this.buffer = buffer;
    this.node = node;
    this.query = query;
    this.onChange = onChange;
    this.close = close;
  }

  /** Filters all existing lines, a slice at a time. */
  begin(): void {
    const round = ++this.round;
    const all = this.buffer.lines;
    // The buffer grows while a search runs: later lines reach the view by `take`.
    const count = all.length;
    this.lines = [];
    this.missed.length = 0;
    this.isSearching = false;
    if (this.node === undefined && this.query === "") this.lines = all.slice();
    else {
      let next = 0;
      this.isSearching = true;
      const slice = (): void => {
        if (round !== this.round) return;
        const untilMs = performance.now() + sliceMs;
        while (next < count && performance.now() < untilMs)
          for (const end = Math.min(count, next + 500); next < end; next++) this.test(all[next]!);
        this.isSearching = next < count;
        if (this.isSearching) setTimeout(slice);
        else for (const line of this.missed.splice(0)) this.test(line);
        this.onChange();
      };
      slice();
    }
  }

  private readonly missed: LogLine[] = [];

  take(lines: readonly LogLine[], first: number): void {
    // New lines wait while the existing ones are being filtered.
    if (this.isSearching) for (const line of lines) this.missed.push(line);
    else for (const line of lines) this.test(line);
    if ((this.lines[0]?.[0] ?? first) < first) this.lines = this.lines.filter(([number]) => number >= first);
    this.onChange();
  }

  private test(line: LogLine): void {
    const [, node, , , text] = line;
    if (this.node !== undefined && node !== this.node) return;
    if (this.query === "" || plainText(text).toLowerCase().includes(this.query)) this.lines.push(line);
  }
}
