/** JSON written in pieces: an answer of a hundred megabytes as one text would keep the daemon from all else meanwhile. */
import { breathe } from "../async/index.ts";

/** A piece has so many characters or a few more. */
const pieceChars = 64 * 1024;
/** A value of so many characters, about, is written at once. */
const smallChars = 8 * 1024;

/** The text of `JSON.stringify(value)` for plain data, in pieces of which the last alone is short. */
export function* jsonPieces(value: unknown): Generator<string> {
  let piece = "";
  for (const token of tokens(value)) {
    piece += token;
    if (piece.length < pieceChars) continue;
    yield piece;
    piece = "";
  }
  if (piece !== "") yield piece;
}

/** The same for a stream: others get their turn between two pieces. */
export async function* unhurried(pieces: Iterable<string>): AsyncGenerator<string> {
  for (const piece of pieces) {
    yield piece;
    await breathe();
  }
}

function* tokens(value: unknown): Generator<string> {
  if (typeof value === "string" && value.length > pieceChars) yield* longString(value);
  else if (typeof value !== "object" || value === null || isSmall(value)) yield JSON.stringify(value) ?? "null";
  else if (Array.isArray(value)) yield* list(value);
  else yield* members(value);
}

/** Counts no further than it takes to know. */
function isSmall(value: object): boolean {
  let left = smallChars;
  const takes = (each: unknown): boolean => {
    left -= typeof each === "string" ? each.length : 16;
    if (left < 0) return false;
    if (typeof each !== "object" || each === null) return true;
    if (Array.isArray(each)) return each.every(takes);
    return Object.entries(each).every(([name, member]) => takes(name) && takes(member));
  };
  return takes(value);
}

function* list(values: readonly unknown[]): Generator<string> {
  yield "[";
  for (const [index, value] of values.entries()) {
    if (index > 0) yield ",";
    yield* tokens(value);
  }
  yield "]";
}

function* members(value: object): Generator<string> {
  let before = "{";
  for (const [name, member] of Object.entries(value) as [string, unknown][]) {
    if (member === undefined) continue;
    yield `${before}${JSON.stringify(name)}:`;
    yield* tokens(member);
    before = ",";
  }
  yield before === "{" ? "{}" : "}";
}

/** Cut between characters: half of one is written as an escape. */
function* longString(text: string): Generator<string> {
  yield '"';
  for (let start = 0; start < text.length;) {
    let end = Math.min(start + pieceChars, text.length);
    if (end < text.length && isHighSurrogate(text.charCodeAt(end - 1))) end--;
    yield JSON.stringify(text.slice(start, end)).slice(1, -1);
    start = end;
  }
  yield '"';
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}
