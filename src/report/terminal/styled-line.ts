import { stripVTControlCharacters } from "node:util";
import stringWidth from "string-width";
import type { Paint } from "../text.ts";

/** Piece of a line. Its style is applied after the line is cut to the terminal's width. */
export interface Piece {
  text: string;
  style?: Parameters<Paint>[0];
}

/** Splits text into what a terminal shows as single characters. */
const graphemes = new Intl.Segmenter();

export type StyledLine = readonly Piece[];

/** Removes escape sequences and control characters from a program's text, and replaces tabs, for use in the view. */
export function printableText(text: string): string {
  const visible = stripVTControlCharacters(text).replaceAll("\t", "  ");
  // oxlint-disable-next-line no-control-regex -- these are what is taken out
  return visible.replace(/[\u0000-\u001f\u007f-\u009f]/g, "");
}

/** Returns the columns that a text takes: two for wide characters, none for combining ones. */
export function columnsOf(text: string): number {
  return stringWidth(text);
}

/** Cuts a line from the right; `…` stands for the rest. */
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

/** Pads a text with spaces to a number of columns. */
export function padded(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - columnsOf(text)));
}
