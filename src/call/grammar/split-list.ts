/**
 * Splits the value of a list flag as `dagger call` does. Strings are a line of CSV, and numbers are split at each
 * comma. For other types quotes are removed first, so their items cannot contain commas.
 */
import { UserError } from "../../errors/index.ts";
import type { TypeRef } from "../../module/index.ts";

/** Returns the items of a list with items of `type`. Throws a `UserError` at `place` for invalid text. */
export function splitList(text: string, type: TypeRef, place: string): string[] {
  switch (type.kind) {
    case "integer":
    case "float":
      return text.split(",");
    case "string":
      return readCsv(text, place);
    case "scalar":
      if (type.name !== "Platform") return readCsv(text, place);
      break;
    default:
  }
  return readCsv(text.replaceAll(/["'`]/g, ""), place).map((item) => item.trim());
}

/**
 * Reads one record of CSV (RFC 4180): a field in double quotes may contain commas, line breaks, and `""` for a quote.
 */
function readCsv(text: string, place: string): string[] {
  const line = text.replace(/\r?\n$/, "");
  if (line === "") return [];
  const items: string[] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|$)/gy;
  for (let start = 0; start <= line.length; start = field.lastIndex) {
    field.lastIndex = start;
    const match = field.exec(line);
    if (match === null) throw notCsv(line.slice(start), place);
    items.push(match[1] === undefined ? (match[2] ?? "") : match[1].replaceAll('""', '"'));
    if (match[3] === "") break;
  }
  return items;
}

function notCsv(rest: string, place: string): UserError {
  const [what, hint] = /^"(?:[^"]|"")*$/.test(rest)
    ? ["a double quote is not closed", 'an item that has a quote in it is written "say ""hi"""']
    : /^[^",]*[\r\n]/.test(rest)
      ? [
          "a line break stands between items",
          "put an item with a line break in double quotes, or give the option once for each item",
        ]
      : ["a double quote stands inside an item", 'an item that has a quote in it is written "say ""hi"""'];
  return new UserError("usage", `not a list of comma-separated values: ${what}`, { place, hint });
}
