/** JSON body of a GraphQL request. */

export interface GraphqlRequest {
  query: string;
  variables?: Record<string, unknown>;
  operationName?: string;
}

/**
 * Limit on the values in variables, which are copied between threads one by one. It equals the limit on a document's
 * tokens.
 */
const maxVariableValues = 100_000;

/** Parses a body. Returns a message when the body is not a valid request. */
export function requestIn(bytes: Uint8Array): GraphqlRequest | string {
  let body: unknown;
  try {
    body = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8"));
  } catch {
    return "the body is not JSON";
  }
  if (typeof body !== "object" || body === null) return "the body is not a GraphQL request";
  const { query, variables, operationName } = body as Record<string, unknown>;
  if (typeof query !== "string") return "the body has no `query`";
  if (hasMoreValues(variables, maxVariableValues)) return `the variables have more than ${maxVariableValues} values`;
  return {
    query,
    ...(typeof variables === "object" && variables !== null ? { variables: variables as Record<string, unknown> } : {}),
    ...(typeof operationName === "string" ? { operationName } : {}),
  };
}

function hasMoreValues(root: unknown, limit: number): boolean {
  const open = [root];
  let count = 0;
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (typeof value !== "object" || value === null) continue;
    for (const child of Object.values(value)) {
      if (++count > limit) return true;
      if (typeof child === "object" && child !== null) open.push(child);
    }
  }
  return false;
}
