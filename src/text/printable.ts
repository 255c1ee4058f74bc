/**
 * What others wrote (names of files and branches, comments, images, answers of registries, lines of logs) may hold control
 * characters that a terminal obeys. At the edge each text goes through one of these.
 */

/** Controls of terminals (C0, DEL, C1), line separators, and characters that turn the direction of what follows. */
// oxlint-disable-next-line no-control-regex -- these are what is taken out
const unprintable = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/g;

const short: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function escaped(character: string): string {
  return short[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** A name, on one line: each character that a terminal would obey is shown as JSON writes it. */
export function printable(name: string): string {
  return name.replace(unprintable, escaped);
}

/** Several lines of ours with names in them: as `printable`, but lines and tabs stay. */
export function printableLines(text: string): string {
  return text.replace(unprintable, (character) =>
    character === "\n" || character === "\t" ? character : escaped(character),
  );
}

/** JSON as `JSON.stringify` makes it, with the characters escaped too that JSON allows and terminals obey. */
export function printableJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(unprintable, (character) =>
    character === "\n" ? character : escaped(character),
  );
}

/** Colours and styles of a program's own output; nothing else of what begins with an escape is kept. */
const sequences =
  // oxlint-disable-next-line no-control-regex -- these are what is taken out
  /\u001b\[[0-9;:]*m|(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])[^\n\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)?|\u001b[ -/]*[0-~]?/g;
// oxlint-disable-next-line no-control-regex -- these are what is taken out
const style = /^\u001b\[[0-9;:]*m$/;
// oxlint-disable-next-line no-control-regex -- these are what is taken out
const controls = /[\u0000-\u0008\u000b-\u001a\u001c-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/**
 * Output of a program, many lines: lines, tabs and colours stay, all else that a terminal obeys goes (movements of the
 * cursor, titles, links, the clipboard, answers to questions). A carriage return begins a new line: it overwrites none.
 * Pieces of a stream may be cut anywhere: a sequence that is cut in two loses its beginning, and is text then.
 */
export function outputText(text: string): string {
  // Most output has none of it.
  controls.lastIndex = 0;
  if (!text.includes("\u001b") && !controls.test(text)) return text;
  return text
    .replaceAll("\r\n", "\n")
    .replaceAll("\r", "\n")
    .replace(sequences, (sequence) => (style.test(sequence) ? sequence : ""))
    .replace(controls, "");
}
