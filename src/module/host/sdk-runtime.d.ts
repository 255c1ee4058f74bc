/** The SDK as the host bundles it (tools/build-sdk.mjs): without telemetry exporters, provisioning and compiler. */
declare module "sdk:runtime" {
  import type { GraphQLClient } from "graphql-request";

  export * as clientGen from "@dagger.io/dagger";
  export class Connection {
    setGQLClient(client: GraphQLClient): void;
    getGQLClient(): GraphQLClient;
    resetClient(): void;
  }
  /** What the global `dag` sends its queries over. */
  export const globalConnection: Connection;
  export class Context {
    constructor(queryTree: unknown[], connection: Connection);
    selectNode(id: string, typeName: string): Context;
  }
  export function createGQLClient(port: number, token: string): GraphQLClient;
  /** Classes that `@object()` was put on, also those that no file exports. */
  export const registry: object;
}
