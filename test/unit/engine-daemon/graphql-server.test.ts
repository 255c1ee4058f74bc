import http from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startGraphqlServer, type GraphqlServer } from "../../../src/engine-daemon/control/graphql-server.ts";
import type { Session } from "../../../src/engine-daemon/control/sessions.ts";
import { createAgent, query } from "../../../src/graphql/client.ts";

let server: GraphqlServer;
let seen: { query: string; callId: string | undefined; signal: AbortSignal; isBody: boolean | undefined }[];
let answer: () => Promise<unknown>;
const ended = new AbortController();

beforeAll(async () => {
  const session = {
    signal: ended.signal,
    api: {
      execute: (request: { query: string }, context: { callId?: string; signal: AbortSignal; isBody?: boolean }) => {
        seen.push({ query: request.query, callId: context.callId, signal: context.signal, isBody: context.isBody });
        return answer();
      },
    },
  } as unknown as Session;
  const access = new Map([
    ["secret", { session, isBody: false }],
    ["for bodies", { session, isBody: true }],
  ]);
  server = await startGraphqlServer({
    find: (token) => access.get(token),
    working: () => () => undefined,
    onError: () => undefined,
  });
});
afterAll(() => server.close());
beforeEach(() => {
  seen = [];
  answer = () => Promise.resolve({ data: { version: "v1" } });
});

function post(headers: Record<string, string>, body = '{"query":"{version}"}', method = "POST"): Promise<number> {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port: server.port, path: "/query", method, headers, agent: false };
    const request = http.request(options, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.on("error", reject);
    request.end(body);
  });
}

const token = `Basic ${Buffer.from("secret:").toString("base64")}`;
const good = { authorization: token, "content-type": "application/json" };

describe("the GraphQL endpoint", () => {
  it("answers a request that carries a session's token", async () => {
    expect(await post(good)).toBe(200);
    expect(seen).toHaveLength(1);
  });

  it("tells by the status that a document can't be run, as far as the client's kind of answer has one", async () => {
    const refused = { errors: [{ message: "", extensions: { code: "GRAPHQL_VALIDATION_FAILED" } }], data: null };
    answer = () => Promise.resolve(refused);
    expect(await post(good)).toBe(422);
    expect(await post({ ...good, accept: "text/html, application/graphql-response+json, application/json" })).toBe(400);
    answer = () => Promise.resolve({ errors: [{ message: "failed" }], data: null });
    expect(await post(good)).toBe(200);
  });

  it.each([
    ["no token", 401, { "content-type": "application/json" }],
    ["another token", 401, { ...good, authorization: `Basic ${Buffer.from("guess:").toString("base64")}` }],
    ["a foreign origin", 403, { ...good, origin: "https://example.com" }],
    ["a name that was rebound to loopback", 403, { ...good, host: "example.com" }],
    ["a form's content type", 415, { ...good, "content-type": "text/plain" }],
  ])("refuses %s", async (_what, status, headers) => {
    expect(await post(headers)).toBe(status);
    expect(seen).toEqual([]);
  });

  it("refuses what is not JSON, no request, or no POST", async () => {
    expect(await post(good, "{")).toBe(400);
    expect(await post(good, '{"variables":{}}')).toBe(400);
    expect(await post(good, "", "GET")).toBe(405);
    expect(seen).toEqual([]);
  });

  it("knows function bodies by their token", async () => {
    await post(good);
    await post({ ...good, authorization: `Basic ${Buffer.from("for bodies:").toString("base64")}` });
    expect(seen.map(({ isBody }) => isBody)).toEqual([false, true]);
  });

  it("hands on the call's id", async () => {
    await post({ ...good, "x-fastloop-call": "c3" });
    expect(seen[0]?.callId).toBe("c3");
  });

  it("aborts the request whose client went away, and no other", async () => {
    const started = new Promise<AbortSignal>((resolve) => {
      answer = () =>
        new Promise((_resolve, reject) => {
          const signal = seen.at(-1)?.signal as AbortSignal;
          signal.addEventListener("abort", () => reject(signal.reason as Error));
          resolve(signal);
        });
    });
    const controller = new AbortController();
    const endpoint = { port: server.port, token: "secret", agent: createAgent() };
    const pending = query(endpoint, "{slow}", {}, { signal: controller.signal });
    const signal = await started;
    const aborted = new Promise((resolve) => signal.addEventListener("abort", resolve));
    controller.abort(new Error("stale"));
    await expect(pending).rejects.toThrow("stale");
    await aborted;
    answer = () => Promise.resolve({ data: { version: "v2" } });
    expect(await query(endpoint, "{version}")).toEqual({ version: "v2" });
    endpoint.agent.destroy();
  });

  it("that breaks off in the middle of an answer is an engine that went away, or the reason why the request was given up", async () => {
    const half = http.createServer(
      (_request, response) => void response.writeHead(200, { "content-length": 100 }).write("{"),
    );
    await new Promise<void>((resolve) => half.listen(0, "127.0.0.1", resolve));
    const endpoint = { port: (half.address() as AddressInfo).port, token: "secret", agent: createAgent() };
    const answering = (): Promise<http.ServerResponse> =>
      new Promise((resolve) => half.once("request", (_request, response) => resolve(response)));
    try {
      const [broken] = [query(endpoint, "{version}").catch((error: unknown) => error), (await answering()).destroy()];
      expect(await broken).toMatchObject({
        code: "engine-unavailable",
        message: expect.stringContaining("broke") as string,
      });
      const controller = new AbortController();
      const givenUp = query(endpoint, "{version}", {}, { signal: controller.signal });
      await answering();
      controller.abort(new Error("stale"));
      await expect(givenUp).rejects.toThrow("stale");
    } finally {
      endpoint.agent.destroy();
      half.closeAllConnections();
      half.close();
    }
  });
});
