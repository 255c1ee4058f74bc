/** The sessions' GraphQL endpoint. */
import { Refusal, startLoopbackServer, type LoopbackServer } from "../../graphql/index.ts";
import { isRefused } from "../../core-api/index.ts";
import type { Access } from "./sessions.ts";

export type GraphqlServer = LoopbackServer;

export interface GraphqlServerOptions {
  find(token: string): Access | undefined;
  onError(error: unknown): void;
}

const graphqlResponse = "application/graphql-response+json";

/** The first of the two kinds that the client names, as a Dagger engine chooses; the status of refused documents goes with it. */
function contentTypeFor(accept: string): string {
  if (accept === "") return "application/json";
  for (const part of accept.split(",")) {
    const type = part.split(";")[0]!.trim().toLowerCase();
    if (["application/json", "*/*", "application/*"].includes(type)) return "application/json";
    if (type === graphqlResponse) return type;
  }
  return graphqlResponse;
}

export function startGraphqlServer({ find, onError }: GraphqlServerOptions): Promise<GraphqlServer> {
  return startLoopbackServer<Access>({
    find,
    onError,
    async answer({ session, isBody }, request, { callId, gone, accept }) {
      const signal = AbortSignal.any([gone, session.signal]);
      try {
        const result = await session.api.execute(request, {
          signal,
          isBody,
          ...(callId === undefined ? {} : { callId }),
        });
        const contentType = contentTypeFor(accept);
        const refused = contentType === graphqlResponse ? 400 : 422;
        return { status: isRefused(result.errors) ? refused : 200, text: JSON.stringify(result), contentType };
      } catch (error) {
        // The client of a session that ended still learns it.
        if (!session.signal.aborted) throw error;
        throw new Refusal(503, `the session ended: ${String(session.signal.reason)}`);
      }
    },
  });
}
