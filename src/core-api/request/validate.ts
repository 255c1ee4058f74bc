import {
  GraphQLError,
  Kind,
  OperationTypeNode,
  ScalarLeafsRule,
  specifiedRules,
  validate,
  ValuesOfCorrectTypeRule,
  type DocumentNode,
  type GraphQLFormattedError,
  type GraphQLSchema,
} from "graphql";
import { unservedMessage } from "./unserved.ts";

const maxErrors = 20;

/**
 * Rules that a Dagger engine checks only during execution. Clients tell the two phases apart by error code and HTTP
 * status.
 */
const foundWhenRun = [ValuesOfCorrectTypeRule, ScalarLeafsRule];
const foundBefore = specifiedRules.filter((rule) => !foundWhenRun.includes(rule));

/** Validates a parsed document. Returns its errors; an empty list means that it can be executed. */
export function validationErrors(schema: GraphQLSchema, document: DocumentNode): GraphQLFormattedError[] {
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION || definition.operation === OperationTypeNode.QUERY) continue;
    const message = `Schema does not support operation type "${definition.operation}"`;
    return [refusal(message, "GRAPHQL_VALIDATION_FAILED", new GraphQLError(message, { nodes: definition }))];
  }
  const before = validate(schema, document, foundBefore, { maxErrors });
  if (before.length > 0)
    return before.map((error) =>
      refusal(unservedMessage(error.message) ?? error.message, "GRAPHQL_VALIDATION_FAILED", error),
    );
  const whenRun = validate(schema, document, foundWhenRun, { maxErrors });
  const fieldsOfScalars = whenRun.flatMap(fieldOfScalar);
  if (fieldsOfScalars.length > 0) return fieldsOfScalars;
  return whenRun.map(({ message, locations, nodes }) => {
    const [node] = nodes ?? [];
    const leaf = node?.kind === Kind.FIELD && message.includes("must have a selection") ? node : undefined;
    return { message, locations, ...(leaf === undefined ? {} : { path: [(leaf.alias ?? leaf.name).value] }) };
  });
}

/** Rewrites an error about a selection on a scalar: for a Dagger engine, a scalar is a type without fields. */
function fieldOfScalar({ message, nodes }: GraphQLError): GraphQLFormattedError[] {
  const type = /must not have a selection since type "(\w+)/.exec(message)?.[1];
  const [node] = nodes ?? [];
  const field = node?.kind === Kind.SELECTION_SET ? node.selections[0] : undefined;
  if (type === undefined || field?.kind !== Kind.FIELD) return [];
  const said = `Cannot query field ${JSON.stringify(field.name.value)} on type "${type}".`;
  return [refusal(said, "GRAPHQL_VALIDATION_FAILED", new GraphQLError(said, { nodes: field }))];
}

/** Formats an error in the document itself, as opposed to one from executing it. */
export function refusal(message: string, code: string, error?: unknown): GraphQLFormattedError {
  const locations = error instanceof GraphQLError ? error.locations : undefined;
  return { message, ...(locations === undefined ? {} : { locations }), extensions: { code } };
}

/**
 * Reports whether a response's errors mean that the document was not executed at all; HTTP reports this by its status.
 */
export function isRefused(errors: readonly unknown[] | undefined): boolean {
  const code = (errors?.[0] as GraphQLFormattedError | undefined)?.extensions?.["code"];
  return code === "GRAPHQL_PARSE_FAILED" || code === "GRAPHQL_VALIDATION_FAILED";
}
