import { stripVTControlCharacters } from "node:util";
import type { Paint } from "../text.ts";

/** A piece of a line; its style is laid on after the line was cut to the terminal's width. */
export interface Piece {
  text: string;
  style?: Parameters<Paint>[0];
}

export type StyledLine = readonly Piece[];

/** Text of a program as it may stand in a line of ours: no escape sequences, no tabs, no control characters. */
export function tame(text: string): string {
  const visible = stripVTControlCharacters(text).replaceAll("\t", "  ");
  // oxlint-disable-next-line no-control-regex -- these are what is taken out
  return visible.replace(/[\u0000-\u001f\u007f-\u009f]/g, "");
}

/** How many columns a text takes: two for wide characters, none for combining ones. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) columns += columnsOfCharacter(character.codePointAt(0)!);
  return columns;
}

function columnsOfCharacter(code: number): number {
  if (code < 0x300) return 1;
  if (code <= 0x36f || code === 0x200d || (code >= 0xfe00 && code <= 0xfe0f)) return 0;
  const isWide =
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0x1f300 && code <= 0x1faff) ||
    (code >= 0x20000 && code <= 0x3fffd);
  return isWide ? 2 : 1;
}

/** Cuts from the right; what is cut off is shown as `…`. */
export function cut(line: StyledLine, columns: number): StyledLine {
  const total = line.reduce((sum, piece) => sum + columnsOf(piece.text), 0);
  if (total <= columns) return line;
  const result: Piece[] = [];
  let left = columns - 1;
  for (const piece of line) {
    let text = "";
    for (const character of piece.text) {
      left -= columnsOf(character);
      if (left < 0) return [...result, { ...piece, text: `${text}…` }];
      text += character;
    }
    result.push({ ...piece, text });
  }
  return result;
}

/** Filled up with spaces to so many columns. */
export function padded(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - columnsOf(text)));
}
