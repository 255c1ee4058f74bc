/** The GraphQL endpoint of the sessions. */
import { joined } from "../../async/index.ts";
import { Refusal, startLoopbackServer, type LoopbackServer } from "../../graphql/index.ts";
import { buildkitLost, isRefused } from "../../core-api/index.ts";
import type { Access } from "./sessions.ts";

export type GraphqlServer = LoopbackServer;

export interface GraphqlServerOptions {
  find(token: string): Access | undefined;
  /** Called when work on a request starts. The returned function is called when the answer has been read. */
  working(): () => void;
  onError(error: unknown): void;
}

const graphqlResponse = "application/graphql-response+json";

/**
 * Returns the first supported content type that the client names, as a Dagger engine chooses. The status of refused
 * documents depends on it.
 */
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
        // The client learns why the session ended.
        if (!session.signal.aborted) throw error;
        throw new Refusal(503, `the session ended: ${(session.signal.reason as Error).message}`);
      } finally {
        end();
      }
    },
  });
}

/**
 * A broken connection does not give a reason. The end of buildkitd, which ends the session, may follow a moment later.
 */
const endFollowsMs = 2000;

function saysLost(error: unknown): boolean {
  return (error as { extensions?: { code?: unknown } }).extensions?.code === buildkitLost;
}

/** Resolves when the session has ended, but waits only briefly: the end of a BuildKit elsewhere is never reported. */
function endOf(session: AbortSignal): Promise<void> {
  const waited = AbortSignal.any([session, AbortSignal.timeout(endFollowsMs)]);
  return new Promise((resolve) => {
    if (waited.aborted) resolve();
    else waited.addEventListener("abort", () => resolve(), { once: true });
  });
}
