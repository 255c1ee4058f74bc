/**
 * The SDK as bundled for the function runtime (tools/build-sdk.mjs): without telemetry exporters, provisioning and
 * compiler.
 */
declare module "sdk:runtime" {
  import type { GraphQLClient } from "graphql-request";

  export * as clientGen from "@dagger.io/dagger";
  export class Connection {
    setGQLClient(client: GraphQLClient): void;
    getGQLClient(): GraphQLClient;
    resetClient(): void;
  }
  /** Connection that the global `dag` uses. */
  export const globalConnection: Connection;
  export interface QueryStep {
    operation: string;
    args?: Record<string, unknown>;
    inlineType?: string;
  }
  export class Context {
    constructor(queryTree: readonly QueryStep[], connection: Connection);
    readonly _queryTree: QueryStep[];
    readonly _connection: Connection;
    copy(): Context;
    select(operation: string, args?: Record<string, unknown>): Context;
    selectNode(id: string, typeName: string): Context;
    execute<T>(): Promise<T>;
  }
  export function createGQLClient(port: number, token: string): GraphQLClient;
  /** Classes with `@object()`, including those that no file exports. */
  export const registry: object;
}
