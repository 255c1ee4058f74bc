/** GraphQL without a schema: parsing documents, guarding bodies' requests, the loopback server and its client. */
export { refusedToBodies } from "./body-guard.ts";
export { createAgent, query, type Endpoint, type QueryOptions } from "./client.ts";
export { ExecFailure, QueryError, toQueryError, withoutTrace, type GraphqlError } from "./errors.ts";
export { expandedSize } from "./expanded-size.ts";
export {
  Refusal,
  requireOwnOrigin,
  startLoopbackServer,
  type Answer,
  type LoopbackServer,
  type RequestContext,
} from "./loopback-server.ts";
export { parseRequest, queryLimits, readingLimits } from "./parse.ts";
export { parseInThread } from "./parse-thread.ts";
export type { GraphqlRequest } from "./request-body.ts";
