import { stripVTControlCharacters } from "node:util";
import stringWidth from "string-width";
import type { Paint } from "../text.ts";

/** A piece of a line; its style is laid on after the line was cut to the terminal's width. */
export interface Piece {
  text: string;
  style?: Parameters<Paint>[0];
}

/** What a terminal shows as one character. */
const graphemes = new Intl.Segmenter();

export type StyledLine = readonly Piece[];

/** Text of a program as it may stand in a line of ours: no escape sequences, no tabs, no control characters. */
export function tame(text: string): string {
  const visible = stripVTControlCharacters(text).replaceAll("\t", "  ");
  // oxlint-disable-next-line no-control-regex -- these are what is taken out
  return visible.replace(/[\u0000-\u001f\u007f-\u009f]/g, "");
}

/** How many columns a text takes: two for wide characters, none for combining ones. */
export function columnsOf(text: string): number {
  return stringWidth(text);
}

/** Cuts from the right; what is cut off is shown as `…`. */
export function cut(line: StyledLine, columns: number): StyledLine {
  const total = line.reduce((sum, piece) => sum + columnsOf(piece.text), 0);
  if (total <= columns) return line;
  const result: Piece[] = [];
  let left = columns - 1;
  for (const piece of line) {
    let text = "";
    for (const { segment: character } of graphemes.segment(piece.text)) {
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
