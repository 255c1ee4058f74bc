/** The sessions' GraphQL endpoint. */
import { Refusal, startLoopbackServer, type LoopbackServer } from "../../loopback-graphql.ts";
import type { Access } from "./sessions.ts";

export type GraphqlServer = LoopbackServer;

export interface GraphqlServerOptions {
  find(token: string): Access | undefined;
  onError(error: unknown): void;
}

export function startGraphqlServer({ find, onError }: GraphqlServerOptions): Promise<GraphqlServer> {
  return startLoopbackServer<Access>({
    find,
    onError,
    async answer({ session, isBody }, request, { callId, gone }) {
      const signal = AbortSignal.any([gone, session.signal]);
      try {
        const result = await session.api.execute(request, { signal, isBody, ...(callId === undefined ? {} : { callId }) });
        return { status: 200, text: JSON.stringify(result) };
      } catch (error) {
        // The client of a session that ended still learns it.
        if (!session.signal.aborted) throw error;
        throw new Refusal(503, `the session ended: ${String(session.signal.reason)}`);
      }
    },
  });
}
