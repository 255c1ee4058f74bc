/** Parses YAML that others wrote in time proportional to its length, whatever it contains. */
import { type Document, isScalar, type ParseOptions, type DocumentOptions, type SchemaOptions, visit } from "yaml";
import { CST, Lexer, parseAllDocuments, parseDocument, YAMLParseError } from "yaml";

type Options = ParseOptions & DocumentOptions & SchemaOptions;

/**
 * Errors come without the surrounding lines, which are others' text and are formatted anew for each of a thousand
 * errors. A key that is a list or a map counts as its text; without `logLevel` the parser warns of each on stderr.
 */
const fixed = { merge: true, prettyErrors: false, uniqueKeys: false, logLevel: "error" } as const;

/** Parses one document; its problems are in `errors`. `toJS` throws for aliases that would fill the memory. */
export function yamlDocument(text: string, options: Options = {}): Document.Parsed {
  const refusal = tooDeepAt(text) ?? tooManyAt(text);
  if (refusal === undefined) return checked(parseDocument(text, { ...options, ...fixed }));
  return refused(parseDocument("", { ...options, ...fixed }), refusal);
}

/** Parses all documents of a stream. */
export function yamlDocuments(text: string, options: Options = {}): Document.Parsed[] {
  const deep = tooDeepAt(text);
  if (deep !== undefined) return [refused(parseDocument("", { ...options, ...fixed }), deep)];
  const documents = parseAllDocuments(text, { ...options, ...fixed });
  return Array.isArray(documents) ? documents.map(checked) : [];
}

/**
 * Limit of nested levels. The parser itself fails at some 700, after spending a gigabyte on a million of them. Brackets
 * in ordinary texts are few, or paired.
 */
const mostLevels = 2000;
/**
 * Returns where brackets, or dashes on one line (`- - - `), open more levels than any real document has. For texts with
 * that many, the parser's own lexer tells brackets from those in strings.
 */
function tooDeepAt(text: string): Refusal | undefined {
  return mayBeDeep(text) ? deepTokenAt(text) : undefined;
}

/** Limit of values: ten thousand targets have fewer, and a megabyte of `a:1,` takes the parser some seconds. */
const mostValues = 100_000;

function tooManyAt(text: string): Refusal | undefined {
  if (text.length < mostValues * 2) return undefined;
  let [at, values, isText] = [0, 0, false];
  for (const token of new Lexer().lex(text)) {
    const type = isText ? null : CST.tokenType(token);
    isText = type === "scalar";
    if (isText || type === "alias") values++;
    if (values > mostValues) return { at, why: `More than ${mostValues.toLocaleString("en-US")} values` };
    if (!isMark(type)) at += token.length;
  }
  return undefined;
}

/** Reports whether a token is a mark of the lexer that is not part of the text. */
const isMark = (type: CST.TokenType | null): boolean =>
  type === "scalar" || type === "flow-error-end" || type === "doc-mode";

interface Refusal {
  at: number;
  why: string;
}

function mayBeDeep(text: string): boolean {
  let [brackets, open, dashes] = [0, 0, 0];
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!;
    if (char === "[" || char === "{") [brackets, open] = [brackets + 1, open + 1];
    else if (char === "]" || char === "}") open--;
    const isBlank = char === " " || char === "\t";
    if ((char === "-" || char === "?" || char === ":") && (text[at + 1] === " " || text[at + 1] === "\t")) dashes++;
    else if (!isBlank) dashes = 0;
    if (brackets > mostLevels || -open > mostLevels || dashes > mostLevels) return true;
  }
  return false;
}

function deepTokenAt(text: string): Refusal | undefined {
  let [at, brackets, strays, dashes, isText] = [0, 0, 0, 0, false];
  for (const token of new Lexer().lex(text)) {
    const type = isText ? null : CST.tokenType(token);
    isText = type === "scalar";
    if (type === "flow-seq-start" || type === "flow-map-start") brackets++;
    else if (type === "flow-seq-end" || type === "flow-map-end") {
      if (brackets > 0) brackets--;
      else strays++;
    }
    if (type === "flow-error-end") brackets = 0;
    if (type === "seq-item-ind" || type === "explicit-key-ind" || type === "map-value-ind") dashes++;
    else if (type !== "space") dashes = 0;
    if (brackets > mostLevels || dashes > mostLevels) return { at, why: "Nested too deep" };
    // The parser takes some 40 µs for each.
    if (strays > mostLevels) return { at, why: "Too many brackets that close nothing" };
    if (!isMark(type)) at += token.length;
  }
  return undefined;
}

function refused(document: Document.Parsed, { at, why }: Refusal): Document.Parsed {
  document.errors.push(new YAMLParseError([at, at + 1], "UNEXPECTED_TOKEN", why));
  return document;
}

/**
 * Checks for duplicate keys. The parser's own check compares each key with all before it: half a minute for 60,000
 * keys.
 */
function checked(document: Document.Parsed): Document.Parsed {
  for (const error of document.errors)
    if (error.message.startsWith("Maximum call stack")) error.message = "Nested too deep";
  if (document.errors.length > 0) return document;
  visit(document, {
    Map(_, { items }) {
      const seen = new Set<unknown>();
      for (const { key } of items) {
        // `<<` may occur twice.
        if (!isScalar(key) || key.value === "<<") continue;
        const [start = 0, end = 0] = key.range ?? [];
        if (seen.has(key.value))
          document.errors.push(new YAMLParseError([start, end], "DUPLICATE_KEY", "Map keys must be unique"));
        seen.add(key.value);
      }
    },
  });
  return document;
}
