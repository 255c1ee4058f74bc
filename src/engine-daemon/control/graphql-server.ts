/** The sessions' GraphQL endpoint. */
import { joined } from "../../async/index.ts";
import { Refusal, startLoopbackServer, type LoopbackServer } from "../../graphql/index.ts";
import { buildkitLost, isRefused } from "../../core-api/index.ts";
import type { Access } from "./sessions.ts";

export type GraphqlServer = LoopbackServer;

export interface GraphqlServerOptions {
  find(token: string): Access | undefined;
  /** A request is worked on from now on; what it returns says that its answer is read. */
  working(): () => void;
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

export function startGraphqlServer({ find, working, onError }: GraphqlServerOptions): Promise<GraphqlServer> {
  return startLoopbackServer<Access>({
    find,
    working,
    onError,
    async answer({ session, isBody }, request, { callId, gone, accept, isRead }) {
      const { signal, end } = joined([gone, session.signal]);
      try {
        const result = await session.api.execute(request, {
          signal,
          isBody,
          isRead,
          ...(callId === undefined ? {} : { callId }),
        });
        if (result.errors?.some(saysLost) === true) await endOf(session.signal);
        session.signal.throwIfAborted();
        const contentType = contentTypeFor(accept);
        const refused = contentType === graphqlResponse ? 400 : 422;
        return { status: isRefused(result.errors) ? refused : 200, json: result, contentType };
      } catch (error) {
        // The client of a session that ended still learns it.
        if (!session.signal.aborted) throw error;
        throw new Refusal(503, `the session ended: ${(session.signal.reason as Error).message}`);
      } finally {
        end();
      }
    },
  });
}

/** A broken connection says nothing of why; the end of buildkitd, which is told to the session, may come a moment later. */
const endFollowsMs = 2000;

function saysLost(error: unknown): boolean {
  return (error as { extensions?: { code?: unknown } }).extensions?.code === buildkitLost;
}

/** Resolves when the session has ended; of a BuildKit that runs elsewhere nobody hears, so not after long. */
function endOf(session: AbortSignal): Promise<void> {
  const waited = AbortSignal.any([session, AbortSignal.timeout(endFollowsMs)]);
  return new Promise((resolve) => {
    if (waited.aborted) resolve();
    else waited.addEventListener("abort", () => resolve(), { once: true });
  });
}
