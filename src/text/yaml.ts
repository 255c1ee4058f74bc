/** YAML that somebody else wrote: parsed in a time that grows with its length, whatever it holds. */
import { type Document, isScalar, type ParseOptions, type DocumentOptions, type SchemaOptions, visit } from "yaml";
import { parseAllDocuments, parseDocument, YAMLParseError } from "yaml";

type Options = ParseOptions & DocumentOptions & SchemaOptions;

/** An error comes without the lines around it: text of others, and made anew for each of a thousand errors. */
const fixed = { merge: true, prettyErrors: false, uniqueKeys: false } as const;

/** One document; its problems are in `errors`. Aliases that would fill the memory make `toJS` throw. */
export function yamlDocument(text: string, options: Options = {}): Document.Parsed {
  return checked(parseDocument(text, { ...options, ...fixed }));
}

/** All documents of a stream. */
export function yamlDocuments(text: string, options: Options = {}): Document.Parsed[] {
  const documents = parseAllDocuments(text, { ...options, ...fixed });
  return Array.isArray(documents) ? documents.map(checked) : [];
}

/** The parser itself compares a key with all before it: half a minute for 60,000 of them. */
function checked(document: Document.Parsed): Document.Parsed {
  for (const error of document.errors)
    if (error.message.startsWith("Maximum call stack")) error.message = "Nested too deep";
  if (document.errors.length > 0) return document;
  visit(document, {
    Map(_, { items }) {
      const seen = new Set<unknown>();
      for (const { key } of items) {
        // `<<` may be there twice.
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
