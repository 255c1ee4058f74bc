/** JSON with the position of each value, for errors with `line:column`, which `JSON.parse` does not provide. */

export interface PlacedJson {
  value: unknown;
  /** Path of a value (`dependencies.0.name`, "" for the root) -> offset of its first character. */
  offsets: Map<string, number>;
}

export class JsonSyntaxError extends Error {
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/** Parses strict JSON. Throws `JsonSyntaxError` with the offset of the first invalid character. */
export function parsePlacedJson(text: string): PlacedJson {
  try {
    return { value: JSON.parse(text) as unknown, offsets: placesIn(text).offsets };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // E.g. "Expected ',' or '}' after property value in JSON at position 14"; some messages have no position.
    const [, message = error.message, position] =
      /^(.*?)(?: in JSON)?(?: at position (\d+).*)?$/s.exec(error.message) ?? [];
    const offset = position === undefined ? placesIn(text).end : Number(position);
    throw new JsonSyntaxError(message.replace(/, ".*" is not valid JSON$/s, ""), offset);
  }
}

/** Returns the 1-based `line:column` of an offset. */
export function lineAndColumn(text: string, offset: number): string {
  const before = text.slice(0, offset).split("\n");
  return `${before.length}:${(before.at(-1)?.length ?? 0) + 1}`;
}

/** Deepest nesting and longest path for which positions are recorded; errors name nothing deeper or longer. */
const deepest = 8;
const longestPath = 1000;

interface Open {
  /** Undefined where positions are no longer recorded. */
  path: string | undefined;
  isMap: boolean;
  /** Index of a list's next item. */
  index: number;
  /** Key of a map's next value; undefined when a key comes next. */
  key?: string | undefined;
}

/** Scans the text once, without recursion, so that nesting may be of any depth; `end` is where it stops being JSON. */
function placesIn(text: string): { offsets: Map<string, number>; end: number } {
  const offsets = new Map<string, number>();
  const open: Open[] = [];
  const token = /[ \t\n\r]*(?:([[{])|([\]}])|([,:])|(")|(true|false|null|-?\d[\d.eE+-]*))/y;
  let end = 0;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const [, opening, closing, , quote] = match;
    const above = open.at(-1);
    const at = token.lastIndex - (quote === undefined ? (opening ?? closing ?? match[5] ?? ",").length : 1);
    if (quote !== undefined && above?.isMap === true && above.key === undefined) {
      const after = endOfText(text, at);
      if (after === undefined) break;
      above.key = textOf(text.slice(at, after));
      token.lastIndex = after;
    } else if (closing !== undefined) open.pop();
    else if (opening !== undefined || quote !== undefined || match[5] !== undefined) {
      const path = open.length <= deepest ? pathBelow(above) : undefined;
      if (path !== undefined) offsets.set(path, at);
      if (above !== undefined) Object.assign(above, { index: above.index + 1, key: undefined });
      if (opening !== undefined) open.push({ path, isMap: opening === "{", index: 0 });
      if (quote !== undefined) {
        const after = endOfText(text, at);
        if (after === undefined) break;
        token.lastIndex = after;
      }
    }
    end = token.lastIndex;
  }
  return { offsets, end };
}

function pathBelow(above: Open | undefined): string | undefined {
  if (above === undefined) return "";
  if (above.path === undefined) return undefined;
  const name = above.isMap ? (above.key ?? "") : String(above.index);
  if (above.path.length + name.length > longestPath) return undefined;
  return above.path === "" ? name : `${above.path}.${name}`;
}

/** Returns the offset after the quote that ends the string starting at `at`; undefined if it does not end. */
function endOfText(text: string, at: number): number | undefined {
  for (let quote = text.indexOf('"', at + 1); quote !== -1; quote = text.indexOf('"', quote + 1)) {
    let slashes = 0;
    while (text[quote - 1 - slashes] === "\\") slashes++;
    if (slashes % 2 === 0) return quote + 1;
  }
  return undefined;
}

function textOf(quoted: string): string {
  try {
    return String(JSON.parse(quoted));
  } catch {
    return quoted;
  }
}
