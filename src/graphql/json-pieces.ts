/** Writes JSON in pieces. Writing an answer of a hundred megabytes at once would block the daemon. */
import { breathe } from "../async/index.ts";

/** Approximate length of a piece in characters; pieces are slightly longer. */
const pieceChars = 64 * 1024;
/** Values up to about this many characters are written at once. */
const smallChars = 8 * 1024;

/** Yields the text of `JSON.stringify(value)` for plain data. Only the last piece is short. */
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

/** Yields pieces to a stream, with a turn of the event loop between two pieces. */
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

/** Stops counting as soon as the answer is clear. */
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

/** Cuts between characters, because half of a surrogate pair would be written as an escape. */
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
