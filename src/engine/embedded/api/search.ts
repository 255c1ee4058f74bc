import path from "node:path/posix";
import { ApiError } from "./errors.ts";
import { id, typeModule } from "./resolver.ts";
import { kindOf, withTree, type TreeReader } from "./read.ts";
import { searchScope } from "./search-scope.ts";
import type { Call } from "./session.ts";
import type { Tree } from "./values.ts";

export const searchArgumentsSdl = /* GraphQL */ `
      pattern: String!
      literal: Boolean = false
      multiline: Boolean = false
      dotall: Boolean = false
      insensitive: Boolean = false
      skipIgnored: Boolean = false
      skipHidden: Boolean = false
      filesOnly: Boolean = false
      limit: Int
`;

export interface SearchArguments {
  pattern: string;
  literal: boolean;
  multiline: boolean;
  dotall: boolean;
  insensitive: boolean;
  skipIgnored: boolean;
  skipHidden: boolean;
  filesOnly: boolean;
  limit?: number | null;
  paths?: string[];
  globs?: string[];
}

interface SearchResult {
  type: "SearchResult";
  filePath: string;
  lineNumber: number;
  absoluteOffset: number;
  matchedLines: string;
  submatches: { type: "SearchSubmatch"; text: string; start: number; end: number }[];
}

export const searchResultModule = typeModule<SearchResult>(
  "SearchResult",
  /* GraphQL */ `
  type SearchResult implements Node {
    id: ID!
    filePath: String!
    lineNumber: Int!
    absoluteOffset: Int!
    matchedLines: String!
    submatches: [SearchSubmatch!]!
  }
`,
  { id },
);

export const searchSubmatchModule = typeModule<SearchResult["submatches"][number]>(
  "SearchSubmatch",
  /* GraphQL */ `
  type SearchSubmatch implements Node {
    id: ID!
    text: String!
    start: Int!
    end: Int!
  }
`,
  { id },
);

/** Searches the text files below a folder, line by line, or across lines with `multiline`. */
export async function searchTree(call: Call, tree: Tree, folder: string, args: SearchArguments): Promise<SearchResult[]> {
  const expression = compile(args);
  const limit = args.limit ?? Number.POSITIVE_INFINITY;
  return await withTree(call, tree, async (reader) => {
    const scope = await searchScope(reader, folder, args);
    const results: SearchResult[] = [];
    for await (const entry of reader.walk(folder, scope.enters)) {
      if (kindOf(entry) !== "REGULAR" || !scope.has(entry.relative)) continue;
      results.push(...(await searchFile(reader, path.join(folder, entry.relative), entry.relative, expression, args)));
      if (results.length >= limit) return results.slice(0, limit);
    }
    return results;
  });
}

/** Searches one file; its results carry the name `shown`. */
export async function searchFile(
  reader: TreeReader,
  name: string,
  shown: string,
  expression: RegExp,
  args: SearchArguments,
): Promise<SearchResult[]> {
  const content = await reader.read(name);
  if (content.subarray(0, 8192).includes(0)) return [];
  const text = content.toString("utf8");
  const results = args.multiline ? wholeText(text, expression) : lines(text, expression);
  if (args.filesOnly) {
    return results.length === 0 ? [] : [{ type: "SearchResult", filePath: shown, lineNumber: 0, absoluteOffset: 0, matchedLines: "", submatches: [] }];
  }
  return results.map((result) => ({ ...result, filePath: shown }));
}

export function compile(args: SearchArguments): RegExp {
  const source = args.literal ? args.pattern.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&") : args.pattern;
  try {
    return new RegExp(source, `gu${args.insensitive ? "i" : ""}${args.dotall ? "s" : ""}${args.multiline ? "m" : ""}`);
  } catch (cause) {
    throw new ApiError(`invalid search pattern ${JSON.stringify(args.pattern)}: ${(cause as Error).message}`, {}, cause);
  }
}

function lines(text: string, expression: RegExp): SearchResult[] {
  const results: SearchResult[] = [];
  let offset = 0;
  let lineNumber = 0;
  for (const line of text.match(/[^\n]*\n|[^\n]+$/g) ?? []) {
    lineNumber++;
    const submatches = [...line.replace(/\r?\n$/, "").matchAll(expression)].map((match) => submatch(line, match));
    if (submatches.length > 0) results.push(result(lineNumber, offset, line, submatches));
    offset += Buffer.byteLength(line);
  }
  return results;
}

function wholeText(text: string, expression: RegExp): SearchResult[] {
  return [...text.matchAll(expression)].map((match) => {
    const start = text.lastIndexOf("\n", match.index - 1) + 1;
    const newline = text.indexOf("\n", match.index + match[0].length - (match[0].endsWith("\n") ? 1 : 0));
    const block = text.slice(start, newline < 0 ? text.length : newline + 1);
    const before = text.slice(0, start);
    const inBlock = Object.assign([match[0]], { index: match.index - start });
    return result(before.split("\n").length, Buffer.byteLength(before), block, [submatch(block, inBlock)]);
  });
}

function result(lineNumber: number, absoluteOffset: number, matchedLines: string, submatches: SearchResult["submatches"]): SearchResult {
  return { type: "SearchResult", filePath: "", lineNumber, absoluteOffset, matchedLines, submatches };
}

function submatch(line: string, match: { 0?: string; index: number }): SearchResult["submatches"][number] {
  const start = Buffer.byteLength(line.slice(0, match.index));
  const text = match[0] ?? "";
  return { type: "SearchSubmatch", text, start, end: start + Buffer.byteLength(text) };
}
