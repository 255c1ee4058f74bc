/**
 * Escapes text that others wrote (names of files and branches, comments, images, answers of registries, log lines), as
 * it may contain control characters that a terminal obeys. Output passes through one of these functions.
 */

/** Control characters (C0, DEL, C1), line separators, and characters that change the text direction. */
// oxlint-disable-next-line no-control-regex -- these are what is taken out
const unprintable = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/g;

const short: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function escaped(character: string): string {
  return short[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** Returns a name on one line; each character that a terminal would obey is escaped as in JSON. */
export function printable(name: string): string {
  return name.replace(unprintable, escaped);
}

/** Escapes several lines of text that contain names, keeping line breaks and tabs. */
export function printableLines(text: string): string {
  return text.replace(unprintable, (character) =>
    character === "\n" || character === "\t" ? character : escaped(character),
  );
}

/** Returns JSON as `JSON.stringify` does, and also escapes the characters that JSON allows but terminals obey. */
export function printableJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(unprintable, (character) =>
    character === "\n" ? character : escaped(character),
  );
}

/** Colors and styles of a program's own output; all other escape sequences are removed. */
const sequences =
  // oxlint-disable-next-line no-control-regex -- these are what is taken out
  /\u001b\[[0-9;:]*m|(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])[^\n\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)?|\u001b[ -/]*[0-~]?/g;
// oxlint-disable-next-line no-control-regex -- these are what is taken out
const style = /^\u001b\[[0-9;:]*m$/;
// oxlint-disable-next-line no-control-regex -- these are what is taken out
const controls = /[\u0000-\u0008\u000b-\u001a\u001c-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/**
 * Cleans the output of a program: lines, tabs and colors stay; everything else that a terminal obeys is removed (cursor
 * movements, titles, links, clipboard access, queries). A carriage return starts a new line, so it overwrites nothing.
 * Pieces of a stream may end anywhere: a sequence cut in two loses its beginning, and its rest is shown as text.
 */
export function outputText(text: string): string {
  // Most output has no such characters.
  controls.lastIndex = 0;
  if (!text.includes("\u001b") && !controls.test(text)) return text;
  return text
    .replaceAll("\r\n", "\n")
    .replaceAll("\r", "\n")
    .replace(sequences, (sequence) => (style.test(sequence) ? sequence : ""))
    .replace(controls, "");
}
