/**
 * Matches one glob in time linear in the text: all paths through the pattern are followed at once, with one bit for
 * each place in it, and without backtracking. A backtracking expression takes exponential time on a pattern like
 * `*a*a*a*b`.
 */

/** One part of a glob; the glob's dialect builds `**` and the like from these. */
export type GlobToken =
  | { kind: "text"; text: string }
  /** One character of a class. */
  | { kind: "one"; accepts(character: string): boolean }
  /** Any characters within a path segment: `*`. */
  | { kind: "in-segment" }
  /** Any characters, across segments. */
  | { kind: "rest" }
  /** Nothing, or anything that ends with a slash: `**` before a slash. */
  | { kind: "folders" };

export const anyCharacter: GlobToken = { kind: "one", accepts: () => true };
export const segmentCharacter: GlobToken = { kind: "one", accepts: (character) => character !== "/" };

/** Returns a test for whether the whole text matches. */
export function compileTokens(given: readonly GlobToken[]): (text: string) => boolean {
  const tokens = joined(given);
  const first = tokens[0];
  if (first === undefined) return (text) => text === "";
  const prefix = first.kind === "text" ? first.text : "";
  if (first.kind === "text" && tokens.length === 1) return (text) => text === prefix;
  const last = tokens.at(-1)!;
  const suffix = last.kind === "text" ? last.text : "";
  const fits = compileMiddle(tokens.slice(prefix === "" ? 0 : 1, suffix === "" ? tokens.length : -1));
  const fixed = prefix.length + suffix.length;
  return (text) =>
    text.length >= fixed &&
    text.startsWith(prefix) &&
    text.endsWith(suffix) &&
    fits(text, prefix.length, text.length - suffix.length);
}

/** Joins adjacent texts and drops redundant repetitions. */
function joined(given: readonly GlobToken[]): GlobToken[] {
  const tokens: GlobToken[] = [];
  for (const token of given) {
    const before = tokens.at(-1);
    if (token.kind === "text" && before?.kind === "text")
      tokens[tokens.length - 1] = { kind: "text", text: before.text + token.text };
    else if (token.kind === "one" || token.kind === "text" || before?.kind !== token.kind) tokens.push(token);
  }
  return tokens;
}

type Middle = (text: string, from: number, to: number) => boolean;

/** Handles the common shapes between prefix and suffix without a machine. */
function compileMiddle(tokens: readonly GlobToken[]): Middle {
  const shape = tokens.map(({ kind }) => kind).join(" ");
  if (shape === "rest" || shape === "folders in-segment") return () => true;
  if (shape === "in-segment") return (text, from, to) => !has(text, "/", from, to);
  if (shape === "folders") return (text, from, to) => from === to || text[to - 1] === "/";
  // Searches for the longest text first, as most paths do not contain it and need no machine.
  const needle = tokens.reduce(
    (longest, token) => (token.kind === "text" && token.text.length > longest.length ? token.text : longest),
    "",
  );
  let machine: Middle | undefined;
  return (text, from, to) => has(text, needle, from, to) && (machine ??= machineOf(tokens))(text, from, to);
}

function has(text: string, part: string, from: number, to: number): boolean {
  if (part === "") return true;
  const found = text.indexOf(part, from);
  return found >= 0 && found + part.length <= to;
}

/** A place in the pattern, and where characters lead from it. */
interface Place {
  /** Tests the characters that lead to the next place. */
  next?: (character: string) => boolean;
  /** Tests the characters that lead back here. */
  stay?: (character: string) => boolean;
  /** Beginning of `folders`: the place after the next is reached without a character, and by a slash. */
  folders?: boolean;
}

const any = (): boolean => true;
const inSegment = (character: string): boolean => character !== "/";
const isSlash = (character: string): boolean => character === "/";

/** Returns the places in order; the last one is the end of the pattern. */
function placesOf(tokens: readonly GlobToken[]): Place[] {
  const places: Place[] = [{}];
  const step = (next: Place["next"], place: Place = {}): void => {
    Object.assign(places.at(-1)!, { next });
    places.push(place);
  };
  for (const token of tokens) {
    const here = places.at(-1)!;
    if (token.kind === "text") for (const wanted of token.text) step((character) => character === wanted);
    else if (token.kind === "one") step(token.accepts);
    else if (token.kind === "in-segment") here.stay ??= inSegment;
    else if (token.kind === "rest") here.stay = any;
    else {
      here.folders = true;
      step(any, { stay: any });
      step(isSlash);
    }
  }
  return places;
}

const asciiCount = 128;
const wordBits = 32;
const slash = 0x2f;

/** For one character, one bit for each place: those that it leads on from, and those where it stays. */
interface Masks {
  next: Int32Array;
  stay: Int32Array;
}

function machineOf(tokens: readonly GlobToken[]): Middle {
  const places = placesOf(tokens);
  const words = Math.ceil(places.length / wordBits);
  const ascii = Array.from({ length: asciiCount }, (_, code) => masksOf(places, words, code));
  return words === 1 ? smallMachine(places, ascii) : largeMachine(places, words, ascii);
}

function masksOf(places: readonly Place[], words: number, code: number): Masks {
  const character = String.fromCodePoint(code);
  return {
    next: maskOf(places, words, (place) => place.next?.(character) === true),
    stay: maskOf(places, words, (place) => place.stay?.(character) === true),
  };
}

/** Handles up to 32 places, which covers nearly all patterns, with plain numbers. */
function smallMachine(places: readonly Place[], ascii: readonly Masks[]): Middle {
  const next = Int32Array.from(ascii, (masks) => masks.next[0]!);
  const stay = Int32Array.from(ascii, (masks) => masks.stay[0]!);
  const folders = maskOf(places, 1, (place) => place.folders === true)[0]!;
  const end = 1 << (places.length - 1);
  let start = 1;
  for (let led = (start & folders) << 2; (led & ~start) !== 0; led = (start & folders) << 2) start |= led;
  return (text, from, to) => {
    let active = start;
    for (let index = from; index < to; index++) {
      let code = text.charCodeAt(index);
      let reached: number;
      if (code < asciiCount) reached = ((active & next[code]!) << 1) | (active & stay[code]!);
      else {
        code = text.codePointAt(index)!;
        if (code > 0xffff) index++;
        const masks = masksOf(places, 1, code);
        reached = ((active & masks.next[0]!) << 1) | (active & masks.stay[0]!);
      }
      if (code === slash) reached |= (active & folders) << 2;
      // Repeated, as a skipped-to place may be the beginning of the next `folders`.
      for (let led = (reached & folders) << 2; (led & ~reached) !== 0; led = (reached & folders) << 2) reached |= led;
      if (reached === 0) return false;
      active = reached;
    }
    return (active & end) !== 0;
  };
}

function largeMachine(places: readonly Place[], words: number, ascii: readonly Masks[]): Middle {
  const folders = maskOf(places, words, (place) => place.folders === true);
  const none = new Int32Array(words);
  const last = places.length - 1;
  const [endWord, endBit] = [Math.floor(last / wordBits), 1 << (last % wordBits)];
  const start = new Int32Array(words);
  start[0] = 1;
  while (addSkipped(start, start, folders));

  return (text, from, to) => {
    let active = start.slice();
    let reached = new Int32Array(words);
    for (let index = from; index < to;) {
      const code = text.codePointAt(index)!;
      index += code > 0xffff ? 2 : 1;
      const { next, stay } = ascii[code] ?? masksOf(places, words, code);
      let alive = 0;
      let carried = 0;
      for (let word = 0; word < words; word++) {
        const now = active[word]!;
        const led = now & next[word]!;
        reached[word] = (led << 1) | carried | (now & stay[word]!);
        carried = led >>> 31;
      }
      addSkipped(reached, active, code === slash ? folders : none);
      while (addSkipped(reached, reached, folders));
      for (let word = 0; word < words; word++) alive |= reached[word]!;
      if (alive === 0) return false;
      [active, reached] = [reached, active];
    }
    return (active[endWord]! & endBit) !== 0;
  };
}

/** Adds the places two after those of `from` in the mask; returns whether any is new. */
function addSkipped(places: Int32Array, from: Int32Array, mask: Int32Array): boolean {
  let carried = 0;
  let added = 0;
  for (let word = 0; word < places.length; word++) {
    const led = from[word]! & mask[word]!;
    const skipped = (led << 2) | carried;
    added |= skipped & ~places[word]!;
    places[word]! |= skipped;
    carried = led >>> 30;
  }
  return added !== 0;
}

function maskOf(places: readonly Place[], words: number, wanted: (place: Place) => boolean): Int32Array {
  const mask = new Int32Array(words);
  for (const [index, place] of places.entries())
    if (wanted(place)) mask[Math.floor(index / wordBits)]! |= 1 << (index % wordBits);
  return mask;
}
