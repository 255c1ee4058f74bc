/** A Dagger session with canned answers: enough to see what function bodies ask, and how. */
import http from "node:http";
import type { AddressInfo } from "node:net";

export interface SeenQuery {
  query: string;
  callId: string | undefined;
  authorization: string | undefined;
  /** Resolves when the client has gone without waiting for the answer. */
  aborted: Promise<void>;
}

/** Returns `data`, or `errors` when it has that key; a promise that never settles keeps the query running. */
export type Answer = (seen: SeenQuery) => unknown;

export interface FakeSession {
  port: number;
  token: string;
  seen: SeenQuery[];
  answer: Answer;
  close(): Promise<void>;
}

export async function startFakeSession(): Promise<FakeSession> {
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { query } = JSON.parse(Buffer.concat(chunks).toString()) as { query: string };
      const callId = request.headers["x-fastloop-call"];
      const aborted = new Promise<void>((resolve) => {
        response.on("close", () => {
          if (!response.writableFinished) resolve();
        });
      });
      const seen: SeenQuery = {
        query,
        callId: callId?.toString(),
        authorization: request.headers.authorization,
        aborted,
      };
      session.seen.push(seen);
      void Promise.resolve(session.answer(seen)).then((result) => {
        const body = typeof result === "object" && result !== null && "errors" in result ? result : { data: result };
        response.setHeader("content-type", "application/json");
        response.end(JSON.stringify(body));
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const session: FakeSession = {
    port: (server.address() as AddressInfo).port,
    token: "secret-token",
    seen: [],
    answer: () => ({}),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return session;
}
