/**
 * Searches one text for a regular expression. RE2 never backtracks, so the time is proportional to the text's length.
 */
import { RE2JS, RE2JSException } from "re2js";

export interface SearchPattern {
  pattern: string;
  literal: boolean;
  multiline: boolean;
  dotall: boolean;
  insensitive: boolean;
}

/** A match, or a line with all its matches. Offsets are in bytes. */
export interface Found {
  lineNumber: number;
  absoluteOffset: number;
  matchedLines: string;
  submatches: { text: string; start: number; end: number }[];
}

/** Compiles a pattern. Throws a `RangeError` with the reason when it is invalid. */
export function compilePattern(wanted: SearchPattern): RE2JS {
  const source = wanted.literal ? RE2JS.quote(wanted.pattern) : wanted.pattern;
  const flags =
    (wanted.insensitive ? RE2JS.CASE_INSENSITIVE : 0) |
    (wanted.dotall ? RE2JS.DOTALL : 0) |
    (wanted.multiline ? RE2JS.MULTILINE : 0);
  try {
    return RE2JS.compile(source, flags);
  } catch (error) {
    if (error instanceof RE2JSException) throw new RangeError(error.message, { cause: error });
    throw error;
  }
}

/** Returns the first `limit` results in a text: by line, or across lines with `multiline`. */
export function searchText(text: string, expression: RE2JS, multiline: boolean, limit: number): Found[] {
  return multiline ? acrossLines(text, expression, limit) : lineByLine(text, expression, limit);
}

function lineByLine(text: string, expression: RE2JS, limit: number): Found[] {
  const found: Found[] = [];
  let offset = 0;
  let lineNumber = 0;
  for (let start = 0; start < text.length && found.length < limit;) {
    const newline = text.indexOf("\n", start);
    const end = newline < 0 ? text.length : newline + 1;
    const line = text.slice(start, end);
    lineNumber++;
    const content = line.endsWith("\r\n") ? line.slice(0, -2) : line.endsWith("\n") ? line.slice(0, -1) : line;
    const submatches = matches(content, expression, Number.POSITIVE_INFINITY).map((match) => submatch(line, match));
    if (submatches.length > 0) found.push({ lineNumber, absoluteOffset: offset, matchedLines: line, submatches });
    offset += Buffer.byteLength(line);
    start = end;
  }
  return found;
}

function acrossLines(text: string, expression: RE2JS, limit: number): Found[] {
  let [lineNumber, offset, at] = [1, 0, 0];
  return matches(text, expression, limit).map((match) => {
    const first = match.start === 0 ? 0 : text.lastIndexOf("\n", match.start - 1) + 1;
    const endsLine = match.end > match.start && text[match.end - 1] === "\n";
    const newline = text.indexOf("\n", match.end - (endsLine ? 1 : 0));
    const block = text.slice(first, newline < 0 ? text.length : newline + 1);
    // Matches come in order, so lines and bytes are counted on from the previous one.
    if (first > at) {
      const between = text.slice(at, first);
      for (let next = between.indexOf("\n"); next >= 0; next = between.indexOf("\n", next + 1)) lineNumber++;
      offset += Buffer.byteLength(between);
      at = first;
    }
    return {
      lineNumber,
      absoluteOffset: offset,
      matchedLines: block,
      submatches: [submatch(block, { start: match.start - first, end: match.end - first })],
    };
  });
}

interface Match {
  start: number;
  end: number;
}

function matches(text: string, expression: RE2JS, limit: number): Match[] {
  const all: Match[] = [];
  const matcher = expression.matcher(text);
  while (all.length < limit && matcher.find()) all.push({ start: matcher.start(), end: matcher.end() });
  return all;
}

function submatch(block: string, { start, end }: Match): Found["submatches"][number] {
  const from = Buffer.byteLength(block.slice(0, start));
  const text = block.slice(start, end);
  return { text, start: from, end: from + Buffer.byteLength(text) };
}
