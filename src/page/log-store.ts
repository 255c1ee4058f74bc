import { outputText } from "../text/index.ts";
import type { LogLine, LogStream } from "./types.ts";

/** Number of lines that the page shows; the oldest are dropped first. */
const mostLines = 100_000;
const mostCharacters = 24 * 1024 * 1024;
/** Longer lines are cut; the log file has them whole. */
const longestLine = 4_000;

/** Stores the newest lines of all logs, numbered from 1. */
export class LogStore {
  private lines: LogLine[] = [];
  private characters = 0;
  private count = 0;
  private readonly open = new Map<string, string>();

  /** Number of the newest line; 0 before the first. */
  get end(): number {
    return this.count;
  }

  /** Adds a piece of a stream, cut anywhere. Returns the lines that it completes. */
  push(node: string, stream: LogStream, text: string, atMs: number): LogLine[] {
    const key = `${stream} ${node}`;
    const pieces = `${this.open.get(key) ?? ""}${text}`.split("\n");
    const rest = pieces.pop()!;
    // A line that never ends must not grow forever.
    if (rest.length > 4 * longestLine) pieces.push(rest);
    this.open.set(key, rest.length > 4 * longestLine ? "" : rest);
    return this.add(node, stream, pieces, atMs);
  }

  /** Adds and returns unfinished lines, which will not be completed. */
  flush(node: string, atMs: number): LogLine[] {
    return (["out", "err"] as const).flatMap((stream) => {
      const rest = this.open.get(`${stream} ${node}`) ?? "";
      this.open.delete(`${stream} ${node}`);
      return rest === "" ? [] : this.add(node, stream, [rest], atMs);
    });
  }

  /** Adds whole lines. */
  add(node: string, stream: LogStream, texts: readonly string[], atMs: number): LogLine[] {
    const added = texts.flatMap((text) => outputText(text.slice(0, 2 * longestLine)).split("\n")).map(shortened);
    const lines = added.map((text): LogLine => [++this.count, node, stream, atMs, text]);
    // Pushed one by one, as a call can't take a hundred thousand arguments.
    for (const line of lines) {
      this.lines.push(line);
      this.characters += line[4].length;
    }
    this.drop();
    return lines;
  }

  /** Returns the kept lines with a higher number. */
  after(number: number): readonly LogLine[] {
    const first = this.lines[0]?.[0] ?? 1;
    return this.lines.slice(Math.max(0, number - first + 1));
  }

  /** Drops a tenth at once, so that lines are not moved for each new one. */
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
