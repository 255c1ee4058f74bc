import {
  execute,
  GraphQLError,
  Kind,
  Lexer,
  Source,
  TokenKind,
  type DocumentNode,
  type GraphQLFormattedError,
  type GraphQLSchema,
} from "graphql";
import { refusedToBodies } from "../../body-guard.ts";
import { ApiError } from "./errors.ts";
import { fieldPath } from "./error-path.ts";
import { parseRequest } from "./parse.ts";
import type { ApiRequest, ApiResponse } from "./options.ts";
import type { Call } from "./session.ts";
import { refusal, unfit } from "./validate.ts";

/** Far above what programs send; below what JSON.stringify can nest an answer (about 2,500). */
const maxDepth = 2100;
const maxQueryChars = 64 * 1024 * 1024;
/** A terminal is in a container, and only where the user sits at one. */
const servedToBodies = new Set(["terminal"]);

/** Parses, validates and runs one request. Whatever the request is, the answer is a response. */
export async function executeRequest(schema: GraphQLSchema, request: ApiRequest, call: Call): Promise<ApiResponse> {
  const document = prepare(schema, request, call.isBody);
  if (Array.isArray(document)) return { errors: document, data: null };
  const result = await execute({
    schema,
    document,
    rootValue: {},
    contextValue: call,
    variableValues: request.variables ?? {},
    operationName: request.operationName,
  });
  call.events.end();
  if (result.errors === undefined) return { data: result.data };
  // Without `data` nothing ran: a variable does not fit, or no operation has the given name.
  if (!("data" in result)) return { errors: result.errors.map((error) => refusal(error.message, "GRAPHQL_VALIDATION_FAILED", error)), data: null };
  // As a Dagger engine: where anything failed, nothing is answered.
  return { errors: result.errors.map((error) => format(error, document)), data: null };
}

function prepare(schema: GraphQLSchema, request: ApiRequest, isBody: boolean): DocumentNode | GraphQLFormattedError[] {
  if (typeof request.query !== "string" || request.query.trim() === "") return [refusal("no operation provided", "GRAPHQL_VALIDATION_FAILED")];
  if (request.query.length > maxQueryChars) {
    return [refusal(`the query has ${request.query.length} characters; the limit is ${maxQueryChars}`, "GRAPHQL_VALIDATION_FAILED")];
  }
  const depth = nesting(request.query);
  if (depth > maxDepth) return [refusal(`the query is nested ${depth} levels deep; the limit is ${maxDepth}`, "GRAPHQL_VALIDATION_FAILED")];
  let document: DocumentNode;
  try {
    document = parseRequest(request.query);
  } catch (error) {
    if (!(error instanceof GraphQLError)) return [refusal("a value in the query is nested too deep", "GRAPHQL_PARSE_FAILED")];
    return [refusal(error.message.replace(/^Syntax Error: /, ""), "GRAPHQL_PARSE_FAILED", error)];
  }
  const refused = isBody ? refusedToBodies(document, servedToBodies) : undefined;
  if (refused !== undefined) return [refusal(refused, "BODY_REFUSED")];
  const errors = unfit(schema, document);
  if (errors.length > 0) return errors;
  const operations = document.definitions.filter((definition) => definition.kind === Kind.OPERATION_DEFINITION);
  if (operations.length === 0) return [refusal("no operation provided", "GRAPHQL_VALIDATION_FAILED")];
  return document;
}

/** The deepest nesting of braces and brackets outside of strings and comments, as far as the query can be read. */
export function nesting(query: string): number {
  // Not a regular expression: over a string of megabytes its backtracking overflows the stack.
  const lexer = new Lexer(new Source(query));
  let depth = 0;
  let deepest = 0;
  try {
    for (let { kind } = lexer.advance(); kind !== TokenKind.EOF; { kind } = lexer.advance()) {
      if (kind === TokenKind.BRACE_L || kind === TokenKind.BRACKET_L) deepest = Math.max(deepest, ++depth);
      else if (kind === TokenKind.BRACE_R || kind === TokenKind.BRACKET_R) depth--;
    }
  } catch {
    // The parser names the place.
  }
  return deepest;
}

/** A resolver's error: ours as it is, BuildKit's and bugs by their message. */
function format(error: GraphQLError, document: DocumentNode): GraphQLFormattedError {
  const { originalError, path } = error;
  const extensions = originalError instanceof ApiError ? originalError.extensions : {};
  return {
    message: originalError === undefined ? error.message : originalError.message,
    ...(path === undefined ? {} : { path: fieldPath(document, upTo(path, originalError instanceof ApiError ? originalError.blamed : undefined)) }),
    ...(Object.keys(extensions).length === 0 ? {} : { extensions }),
  };
}

type Path = readonly (string | number)[];

/** The path as far as the last call of that name; aliased ones are not known by it. */
function upTo(path: Path, blamed: string | undefined): Path {
  const index = blamed === undefined ? -1 : path.lastIndexOf(blamed);
  return index < 0 ? path : path.slice(0, index + 1);
}
