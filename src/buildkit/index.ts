/** BuildKit client: one connection, long-lived builds on it, and host trees served to it. */
export { connectBuildkit } from "./client.ts";
export { ExecFailure, SolveError } from "./connection/errors.ts";
export type * from "./types.ts";
export { entitlementsOf } from "./gateway/entitlements.ts";
