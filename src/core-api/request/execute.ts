import {
  execute,
  type GraphQLError,
  Kind,
  type DocumentNode,
  type GraphQLFormattedError,
  type GraphQLSchema,
} from "graphql";
import { refusedToBodies, expandedSize, queryLimits, parseInThread } from "../../graphql/index.ts";
import { SolveError } from "../../buildkit/index.ts";
import { ApiError } from "../values/errors.ts";
import { fieldPath } from "./error-path.ts";
import type { ApiRequest, ApiResponse } from "../options.ts";
import type { Call } from "./call.ts";
import { refusal, validationErrors } from "./validate.ts";

const maxQueryChars = 64 * 1024 * 1024;
/**
 * Fields that the body guard refuses by default but this API serves: a terminal runs in a container, and only where a
 * user's terminal is attached.
 */
const servedToBodies = new Set(["terminal"]);

/**
 * Parses, validates and executes one request. Errors of the request become part of the response; the promise does not
 * reject for them.
 */
export async function executeRequest(schema: GraphQLSchema, request: ApiRequest, call: Call): Promise<ApiResponse> {
  const document = await prepare(schema, request, call);
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
  // Without `data`, nothing was executed: a variable does not fit, or no operation has the given name.
  if (!("data" in result))
    return {
      errors: result.errors.map((error) =>
        // A Dagger engine reports a value of the wrong type where the value is used, without a validation code.
        error.message.includes("got invalid value")
          ? { message: error.message }
          : refusal(error.message, "GRAPHQL_VALIDATION_FAILED", error),
      ),
      data: null,
    };
  // Like a Dagger engine, answers with no data at all when any field failed.
  const { mask } = call.session.secrets;
  const masked = ["message", "path", "extensions"];
  return { errors: result.errors.map((error) => mask.fields(format(error, document), masked)), data: null };
}

async function prepare(
  schema: GraphQLSchema,
  request: ApiRequest,
  { session, signal, isBody }: Call,
): Promise<DocumentNode | GraphQLFormattedError[]> {
  if (typeof request.query !== "string" || request.query.trim() === "")
    return [refusal("no operation provided", "GRAPHQL_VALIDATION_FAILED")];
  if (request.query.length > maxQueryChars) {
    return [
      refusal(
        `the query has ${request.query.length} characters; the limit is ${maxQueryChars}`,
        "GRAPHQL_VALIDATION_FAILED",
      ),
    ];
  }
  let document: DocumentNode;
  try {
    document = await parseInThread(request.query, signal, session.threads);
  } catch (error) {
    return [
      refusal(
        error instanceof Error ? error.message.replace(/^Syntax Error: /, "") : String(error),
        "GRAPHQL_PARSE_FAILED",
        error,
      ),
    ];
  }
  const { selections, levels } = expandedSize(document, queryLimits.levels);
  if (selections > queryLimits.selections || levels > queryLimits.levels) {
    const what =
      selections > queryLimits.selections
        ? `asks for more than ${queryLimits.selections} fields`
        : `is nested more than ${queryLimits.levels} levels deep`;
    return [refusal(`the query ${what} with its fragments`, "GRAPHQL_VALIDATION_FAILED")];
  }
  const refused = isBody ? refusedToBodies(document, servedToBodies) : undefined;
  if (refused !== undefined) return [refusal(refused, "BODY_REFUSED")];
  const errors = validationErrors(schema, document);
  if (errors.length > 0) return errors;
  const operations = document.definitions.filter((definition) => definition.kind === Kind.OPERATION_DEFINITION);
  if (operations.length === 0) return [refusal("no operation provided", "GRAPHQL_VALIDATION_FAILED")];
  return document;
}

/** Error code which says that the connection to BuildKit broke, and nothing about the request itself. */
export const buildkitLost = "BUILDKIT_LOST";

function isLost(error: unknown): boolean {
  for (let each = error; each instanceof Error; each = each.cause) {
    if (each instanceof SolveError && each.code === unavailable) return true;
  }
  return false;
}

/** gRPC status code UNAVAILABLE. */
const unavailable = 14;

/** Formats a resolver's error: an `ApiError` with its extensions, anything else by its message. */
function format(error: GraphQLError, document: DocumentNode): GraphQLFormattedError {
  const { originalError, path } = error;
  const extensions = {
    ...(originalError instanceof ApiError ? originalError.extensions : {}),
    ...(isLost(originalError) ? { code: buildkitLost } : {}),
  };
  return {
    message: originalError === undefined ? error.message : originalError.message,
    ...(path === undefined
      ? {}
      : {
          path: fieldPath(document, upTo(path, originalError instanceof ApiError ? originalError.blamed : undefined)),
        }),
    ...(Object.keys(extensions).length === 0 ? {} : { extensions }),
  };
}

type Path = readonly (string | number)[];

/**
 * Cuts the path after the last field named `blamed`. An aliased field does not match, because the path holds aliases.
 */
function upTo(path: Path, blamed: string | undefined): Path {
  const index = blamed === undefined ? -1 : path.lastIndexOf(blamed);
  return index < 0 ? path : path.slice(0, index + 1);
}
