import { outputText } from "../text/index.ts";
import type { LogLine, LogStream } from "./types.ts";

/** As many as the page shows; the oldest go first. */
const mostLines = 100_000;
const mostCharacters = 24 * 1024 * 1024;
/** A line that is longer is cut: it is in the log file whole. */
const longestLine = 4_000;

/** The newest lines of all logs, numbered from 1 on. */
export class LogStore {
  private lines: LogLine[] = [];
  private characters = 0;
  private count = 0;
  private readonly open = new Map<string, string>();

  /** Number of the newest line; 0 before the first. */
  get end(): number {
    return this.count;
  }

  /** A piece of a stream, cut anywhere; gives the lines that it ends. */
  push(node: string, stream: LogStream, text: string, atMs: number): LogLine[] {
    const key = `${stream} ${node}`;
    const pieces = `${this.open.get(key) ?? ""}${text}`.split("\n");
    const rest = pieces.pop()!;
    // What never ends its line must not grow for ever.
    if (rest.length > 4 * longestLine) pieces.push(rest);
    this.open.set(key, rest.length > 4 * longestLine ? "" : rest);
    return this.add(node, stream, pieces, atMs);
  }

  /** The lines that were begun and will not be ended. */
  flush(node: string, atMs: number): LogLine[] {
    return (["out", "err"] as const).flatMap((stream) => {
      const rest = this.open.get(`${stream} ${node}`) ?? "";
      this.open.delete(`${stream} ${node}`);
      return rest === "" ? [] : this.add(node, stream, [rest], atMs);
    });
  }

  /** Whole lines. */
  add(node: string, stream: LogStream, texts: readonly string[], atMs: number): LogLine[] {
    const added = texts.flatMap((text) => outputText(text.slice(0, 2 * longestLine)).split("\n")).map(shortened);
    const lines = added.map((text): LogLine => [++this.count, node, stream, atMs, text]);
    // One by one: a call has no room for a hundred thousand arguments.
    for (const line of lines) {
      this.lines.push(line);
      this.characters += line[4].length;
    }
    this.drop();
    return lines;
  }

  /** Those with a higher number, as far as they are kept. */
  after(number: number): readonly LogLine[] {
    const first = this.lines[0]?.[0] ?? 1;
    return this.lines.slice(Math.max(0, number - first + 1));
  }

  /** A tenth at once: not all lines are moved for each that comes. */
  private drop(): void {
    if (this.lines.length <= mostLines * 1.1 && this.characters <= mostCharacters) return;
    let gone = 0;
    while (this.lines.length - gone > mostLines || this.characters > mostCharacters * 0.9)
      this.characters -= this.lines[gone++]![4].length;
    this.lines = this.lines.slice(gone);
  }
}

const shortened = (text: string): string =>
  text.length > longestLine ? `${text.slice(0, longestLine)}… (cut: the log file has it whole)` : text;
