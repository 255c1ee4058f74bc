import { ApiError } from "../values/errors.ts";
import { maxReadBytes } from "../tree/read.ts";

/** Arguments of `File.withReplaced`. */
export interface Replacement {
  search: string;
  replacement: string;
  all: boolean;
  /** Replace only the first match at or after this line, counted from 1. */
  firstFrom?: number | null;
}

/**
 * Returns up to `limit` lines from an offset on, with their line endings, or all remaining lines without a limit.
 * Negative numbers count from the end.
 */
export function linesOf(text: string, offset: number, limit: number | undefined): string {
  const count = offset < 0 || (limit !== undefined && offset + limit < 0) ? countLines(text) : 0;
  const first = offset < 0 ? Math.max(0, count + offset) : offset;
  const last = limit === undefined ? undefined : offset + limit < 0 ? count + offset + limit : offset + limit;
  const from = startOfLine(text, first);
  return text.slice(from, last === undefined ? undefined : Math.max(from, startOfLine(text, last)));
}

/** Returns the index at which a line (counted from 0) starts, or the text's length when there is no such line. */
function startOfLine(text: string, line: number): number {
  let at = 0;
  for (let passed = 0; passed < line; passed++) {
    const newline = text.indexOf("\n", at);
    if (newline < 0) return text.length;
    at = newline + 1;
  }
  return at;
}

function countLines(text: string): number {
  let count = text === "" || text.endsWith("\n") ? 0 : 1;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) count++;
  return count;
}

/**
 * Replaces text as a Dagger engine does: the only match, all matches, or the first one from a line on. Without `all`,
 * throws an `ApiError` when nothing matches, or when several places match and no line was given.
 */
export function replaceText(text: string, { search, replacement, all, firstFrom }: Replacement): string {
  const firstLine = firstFrom ?? undefined;
  const start = startOfLine(text, (firstLine ?? 1) - 1);
  const [before, rest] = [text.slice(0, start), text.slice(start)];
  if (all) return before + replaceAll(rest, search, replacement);
  const at = rest.indexOf(search);
  if (at < 0) throw new ApiError("search string not found");
  const more = firstLine === undefined ? placesOf(rest, search) : [];
  if (more.length > 1) throw new ApiError(`search string found multiple times: ${more.join(", ")}`);
  return before + rest.slice(0, at) + replacement + rest.slice(at + search.length);
}

/** The error for an ambiguous search lists at most this many places. */
const namedPlaces = 100;

/** Lists each match as `line 2 (0-3)`: the line, and the match's range in that line's bytes. */
function placesOf(text: string, search: string): string[] {
  const places: string[] = [];
  let line = 1;
  let counted = 0;
  for (
    let at = text.indexOf(search);
    at >= 0 && search !== "" && places.length < namedPlaces;
    at = text.indexOf(search, at + search.length)
  ) {
    for (let next = text.indexOf("\n", counted); next >= 0 && next < at; next = text.indexOf("\n", next + 1))
      [line, counted] = [line + 1, next + 1];
    const from = Buffer.byteLength(text.slice(counted, at));
    places.push(`line ${line} (${from}-${from + Buffer.byteLength(search)})`);
  }
  return places;
}

/**
 * Replaces all matches. Checks the result's length first: many short matches with a long replacement could exceed any
 * memory.
 */
function replaceAll(text: string, search: string, replacement: string): string {
  let sizeChars = text.length;
  for (let at = text.indexOf(search); at >= 0; at = text.indexOf(search, at + Math.max(1, search.length))) {
    sizeChars += replacement.length - search.length;
    if (sizeChars > maxReadBytes)
      throw new ApiError(`the replaced text would have more than ${maxReadBytes} characters`);
    if (search === "" && at === text.length) break;
  }
  return text.replaceAll(search, () => replacement);
}
