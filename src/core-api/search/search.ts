import path from "node:path/posix";
import { ApiError } from "../values/errors.ts";
import { id, typeModule } from "../values/resolver.ts";
import { kindOf, withTree, type TreeReader } from "../tree/read.ts";
import { breathe } from "../../async/index.ts";
import type { Found } from "./search-text.ts";
import { startSearch, type SearchThread } from "./thread.ts";
import { searchScope } from "./scope.ts";
import type { Call } from "../request/call.ts";
import type { Tree } from "../values/values.ts";

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

/** Larger files are not searched, because the whole text has to be in memory. */
const maxFileBytes = 128 * 1024 * 1024;
/** Limit on the results' text: all results are held in memory and sent in one answer. */
const maxFoundChars = 64 * 1024 * 1024;

/**
 * Searches the text files below a folder, by line or across lines with `multiline`. Throws an `ApiError` when the
 * pattern is invalid or a limit is exceeded.
 */
export async function searchTree(
  call: Call,
  tree: Tree,
  folder: string,
  args: SearchArguments,
): Promise<SearchResult[]> {
  return await withSearch(
    call,
    args,
    async (search) =>
      await withTree(call, tree, async (reader) => {
        const scope = await searchScope(reader, folder, args);
        for await (const entry of reader.walk(folder, scope.enters)) {
          await breathe();
          if (kindOf(entry) !== "REGULAR" || !scope.has(entry.relative)) continue;
          await search.file(reader, path.join(folder, entry.relative), entry.relative);
          if (search.isFull()) break;
        }
      }),
  );
}

/** Searches one file. Its results carry the name `shown`. Throws like `searchTree`. */
export async function searchFile(
  call: Call,
  tree: Tree,
  name: string,
  shown: string,
  args: SearchArguments,
): Promise<SearchResult[]> {
  return await withSearch(
    call,
    args,
    async (search) => await withTree(call, tree, async (reader) => await search.file(reader, name, shown)),
  );
}

interface Search {
  file(reader: TreeReader, name: string, shown: string): Promise<void>;
  isFull(): boolean;
}

async function withSearch(
  call: Call,
  args: SearchArguments,
  use: (search: Search) => Promise<void>,
): Promise<SearchResult[]> {
  const limit = args.limit ?? Number.POSITIVE_INFINITY;
  const results: SearchResult[] = [];
  let foundChars = 0;
  const done = await call.session.threads.take(1, call.signal);
  let thread: SearchThread | undefined;
  try {
    const search = (thread = started(call, args));
    await use({
      isFull: () => results.length >= limit,
      async file(reader, name, shown) {
        const content = await textOf(reader, name);
        if (content === undefined) return;
        for await (const found of search.search(content, args.filesOnly ? 1 : limit - results.length)) {
          await breathe();
          for (const each of found) {
            results.push(args.filesOnly ? inFile(shown) : asResult(each, shown));
            foundChars += each.matchedLines.length + 50 * each.submatches.length;
          }
          if (foundChars > maxFoundChars)
            throw new ApiError(
              `the search found more than ${maxFoundChars} characters; give it a limit, or narrower globs`,
            );
        }
      },
    });
  } catch (error) {
    if (call.signal.aborted) throw error;
    throw error instanceof ApiError || !(error instanceof Error) ? error : new ApiError(error.message, {}, error);
  } finally {
    thread?.close();
    done();
  }
  return results;
}

function started(call: Call, args: SearchArguments): SearchThread {
  try {
    return startSearch(args, call.signal);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new ApiError(
      `regex parse error in ${JSON.stringify(args.pattern.slice(0, 200))}: ${cause.message}`,
      {},
      cause,
    );
  }
}

/** Returns a file's content, or undefined when it is binary. */
async function textOf(reader: TreeReader, name: string): Promise<Buffer | undefined> {
  const pieces: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const piece of reader.pieces(name)) {
    if (sizeBytes === 0 && piece.subarray(0, 8192).includes(0)) return undefined;
    sizeBytes += piece.length;
    if (sizeBytes > maxFileBytes)
      throw new ApiError(`${name} is too large to be searched: the limit is ${maxFileBytes} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

function inFile(filePath: string): SearchResult {
  return { type: "SearchResult", filePath, lineNumber: 0, absoluteOffset: 0, matchedLines: "", submatches: [] };
}

function asResult(found: Found, filePath: string): SearchResult {
  return {
    type: "SearchResult",
    ...found,
    filePath,
    submatches: found.submatches.map((each) => ({ type: "SearchSubmatch", ...each })),
  };
}
