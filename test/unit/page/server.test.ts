import { once } from "node:events";
import net from "node:net";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { UserError } from "../../../src/errors/index.ts";
import { servePage, type PageServer } from "../../../src/page/server.ts";
import type { PageChange } from "../../../src/page/types.ts";
import { ask, Events, node, ShownNodes } from "./ask.ts";

let source: ShownNodes;
let server: PageServer;
let port: number;
let token: string;
let authorization: string;
const followers: Events[] = [];

beforeEach(async () => {
  source = new ShownNodes(node("lib"), node("api", { needs: ["lib"] }));
  server = await servePage(source);
  const url = new URL(server.url);
  port = Number(url.port);
  token = url.hash.slice("#token=".length);
  authorization = `Bearer ${token}`;
});
afterEach(() => {
  for (const follower of followers.splice(0)) follower.close();
  server.close();
  source.close();
});

function follow(headers: Record<string, string> = {}): Events {
  const events = new Events(port, { authorization, ...headers });
  followers.push(events);
  return events;
}
const act = (body: string, headers: Record<string, string> = {}) =>
  ask(port, "/do", {
    method: "POST",
    headers: { authorization, "content-type": "application/json", ...headers },
    body,
  });

const behindToken = ["/events", "/log", "/node?id=lib", "/history", "/snapshot", "/nothing", "//x", "/page.js/"];

describe("what the page's server refuses", () => {
  test.each(behindToken)("%s without this run's token", async (path) => {
    const wrong = [
      undefined,
      "",
      "Bearer",
      "Bearer ",
      `Bearer ${"x".repeat(token.length)}`,
      `Bearer ${token}x`,
      `Bearer ${token.slice(1)}`,
      `Basic ${token}`,
      token,
      `Bearer ${token} ${token}`,
    ];
    for (const given of wrong)
      expect(
        await ask(port, path, { headers: given === undefined ? {} : { authorization: given } }),
        given,
      ).toMatchObject({
        status: 401,
        text: JSON.stringify({ message: "the token is missing or not of this run" }),
      });
    const elsewhere = await ask(port, `${path}${path.includes("?") ? "&" : "?"}token=${token}`, {
      headers: { cookie: `token=${token}` },
    });
    expect(elsewhere.status).toBe(401);
  });

  test("an action without the token does nothing", async () => {
    const headers = { "content-type": "application/json" };
    const body = '{"do":"run","which":"all"}';
    expect(await ask(port, "/do", { method: "POST", headers, body })).toMatchObject({ status: 401 });
    expect(source.commands).toEqual([]);
  });

  test.each([
    ["another name that leads here", { host: "evil.example" }],
    ["this name with another port", { host: "127.0.0.1:1" }],
    ["a name with more behind it", { host: "127.0.0.1.evil.example" }],
    ["another site", { origin: "http://evil.example" }],
    ["another port of this machine", { origin: "http://127.0.0.1:1" }],
    ["a page without origin", { origin: "null" }],
    ["cross-site", { "sec-fetch-site": "cross-site" }],
    ["same-site", { "sec-fetch-site": "same-site" }],
    ["a value that is none", { "sec-fetch-site": "same-origin, cross-site" }],
  ])("what comes by or from elsewhere, token or not: %s", async (_, headers) => {
    for (const path of ["/", "/page.js", "/log"])
      expect(await ask(port, path, { headers: { authorization, ...headers } }), path).toMatchObject({ status: 403 });
    expect(await act('{"do":"run","which":"all"}', headers as Record<string, string>)).toMatchObject({ status: 403 });
    expect(source.commands).toEqual([]);
  });

  test("actions that are no POST, no JSON, too long, or no command", async () => {
    for (const method of ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
      expect(await ask(port, "/do", { method, headers: { authorization } }), method).toMatchObject({ status: 404 });
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""])
      expect(await act('{"do":"run-marked"}', { "content-type": type }), type).toMatchObject({ status: 415 });
    for (const body of ["", "{", "do=run", "\u0000", '{"do":"run-marked"}}'])
      expect(await act(body), body).toMatchObject({ status: 400, text: '{"message":"that is no JSON"}' });
    expect(await act('{"do":"rm"}')).toMatchObject({ status: 400, text: '{"message":"that is no command"}' });
    const long = JSON.stringify({ do: "run", which: ["x".repeat(70_000)] });
    expect(await act(long)).toMatchObject({ status: 413 });
    expect(await act(JSON.stringify({ do: "run", which: ["x".repeat(60_000)] }))).toMatchObject({ status: 200 });
    expect(source.commands).toHaveLength(1);
  });

  test("a body without end is cut off, whatever length it claims", async () => {
    const socket = net.connect(port, "127.0.0.1");
    let text = "";
    socket.setEncoding("utf8").on("data", (piece: string) => (text += piece));
    socket.on("error", () => undefined);
    socket.write(
      `POST /do HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nauthorization: ${authorization}\r\n` +
        "content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n",
    );
    const chunk = `${(16_384).toString(16)}\r\n${" ".repeat(16_384)}\r\n`;
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    const writing = setInterval(() => socket.write(chunk), 5);
    await closed;
    clearInterval(writing);
    expect(text).toMatch(/^HTTP\/1\.1 413 [\s\S]*connection: close/i);
  });

  test("addresses that are none, in words and without a stack", async () => {
    const logged = vi.spyOn(console, "error").mockImplementation(() => undefined);
    for (const path of ["http://evil.example/log", "*", "http://["])
      expect(await ask(port, path, { headers: { authorization } }), path).toMatchObject({ status: 400 });
    for (const path of ["//", "//[", "/../../package.json", "/%2e%2e/package.json", "/page.css/..%2f", "/\\evil"])
      expect(await ask(port, path, { headers: { authorization } }), path).toMatchObject({ status: 404 });
    expect(logged).not.toHaveBeenCalled();
    logged.mockRestore();
  });

  test("connections of strangers, which are closed when they were refused", async () => {
    const closed = [`Host: 127.0.0.1:${port}`, "Host: elsewhere"].map((host) => {
      const connection = net.connect(port, "127.0.0.1").on("error", () => undefined);
      connection.write(`GET /history HTTP/1.1\r\n${host}\r\n\r\n`);
      return once(connection.resume(), "close");
    });
    await Promise.all(closed);
  });

  test("more than 32 followers, until one of them goes", async () => {
    const all = Array.from({ length: 32 }, () => follow());
    for (const each of all) await each.until(({ messages }) => messages.length > 0);
    expect(await ask(port, "/events", { headers: { authorization } })).toMatchObject({ status: 429 });
    all[0]!.close();
    for (;;) {
      const next = await follow().until(({ status, hasEnded }) => status !== undefined || hasEnded);
      if (next.status === 200) break;
    }
  });
});

describe("what the page's server answers", () => {
  test("its own files to everybody, with a strict policy, no cookie and no token", async () => {
    for (const [path, type] of [
      ["/", "text/html"],
      ["/page.js", "text/javascript"],
      ["/page.css", "text/css"],
    ] as const) {
      const { status, headers, text } = await ask(port, path, { headers: { "sec-fetch-site": "none" } });
      expect(status).toBe(200);
      expect(headers["content-type"]).toContain(type);
      expect(headers["content-security-policy"]).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self'/);
      expect(headers["content-security-policy"]).toContain("frame-ancestors 'none'");
      expect(headers["content-security-policy"]).not.toContain("unsafe");
      expect(headers).toMatchObject({
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
      });
      expect(headers["set-cookie"]).toBeUndefined();
      expect(headers["access-control-allow-origin"]).toBeUndefined();
      expect(text).not.toContain(token);
    }
  });

  test("another token to each run", async () => {
    const other = await servePage(source);
    expect(new URL(other.url).hash).not.toBe(`#token=${token}`);
    expect(token).toMatch(/^[\w-]{43}$/);
    other.close();
  });

  test("lines after a number, details of a node, and history", async () => {
    source.model.printLines("lib", "out", ["one", "two"], 1);
    const get = async (path: string): Promise<unknown> =>
      JSON.parse((await ask(port, path, { headers: { authorization } })).text) as unknown;
    expect(await get("/log?after=1")).toEqual([[2, "lib", "out", 1, "two"]]);
    for (const after of ["", "-1", "x", "1e0", "0x1", "99999999999999999999"])
      expect(await get(`/log?after=${after}`), after).toHaveLength(2);
    expect(await get("/node?id=lib")).toEqual({ runs: [], spans: [] });
    expect(await get("/node?id=__proto__")).toEqual({ message: "there is no such function or service" });
    expect(await get("/node")).toEqual({ message: "there is no such function or service" });
    expect(await get("/history")).toEqual({ points: [], figures: [], days: [] });
  });

  test("a command is carried out; what can't be done is said; a mistake of ours shows no stack", async () => {
    const origin = `http://127.0.0.1:${port}`;
    expect(await act('{"do":"cancel","node":"lib"}', { origin, "sec-fetch-site": "same-origin" })).toMatchObject({
      status: 200,
    });
    expect(await act('{"do":"run-marked"}', { host: `localhost:${port}` })).toMatchObject({ status: 200 });
    expect(source.commands).toEqual([{ do: "cancel", node: "lib" }, { do: "run-marked" }]);
    source.carryOut = () => {
      throw new UserError("usage", "there is no function `x`");
    };
    const refused = await act('{"do":"run-marked"}');
    expect(refused.status).toBe(400);
    expect(refused.text).toContain("there is no function `x`");
    source.carryOut = () => {
      throw new TypeError("of /somewhere/in/fastloop.ts");
    };
    const logged = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const broken = await act('{"do":"run-marked"}');
    expect(broken.status).toBe(500);
    expect(broken.text).not.toContain("somewhere");
    expect(logged).toHaveBeenCalledOnce();
    logged.mockRestore();
  });

  test("events: first the state, then changes; after a lost connection what was missed, by Last-Event-ID", async () => {
    const first = follow();
    await first.until(({ messages }) => messages.length > 0);
    const isLine = (text: string) => (events: Events) => events.messages.some(({ data }) => data.includes(text));
    source.model.printLines("lib", "out", ["before it"]);
    await first.until(isLine("before it"));
    first.close();
    source.model.printLines("lib", "out", ["during it"]);
    const second = follow({ "last-event-id": first.messages.at(-1)!.id });
    await second.until(isLine("during it"));
    source.model.printLines("lib", "out", ["after it"]);
    await second.until(isLine("after it"));
    expect(first.messages[0]).toMatchObject({ event: "state" });
    expect(second.messages.map(({ event }) => event)).not.toContain("state");
    const lines = [...first.messages, ...second.messages].flatMap(({ event, data }) =>
      event === "change" ? ((JSON.parse(data) as PageChange).lines ?? []) : [],
    );
    expect(lines.map(([number, , , , text]) => [number, text])).toEqual([
      [1, "before it"],
      [2, "during it"],
      [3, "after it"],
    ]);
    const foreign = await follow({ "last-event-id": "0123456789ab.1" }).until(({ messages }) => messages.length > 0);
    expect(foreign.messages[0]).toMatchObject({ event: "state" });
  });

  test("who reads too slowly is cut off", async () => {
    const socket = net.connect(port, "127.0.0.1");
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    socket.on("error", () => undefined);
    socket.write(`GET /events HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nauthorization: ${authorization}\r\n\r\n`);
    await new Promise((resolve) => socket.once("data", resolve));
    socket.pause();
    const { feed } = source.model;
    for (let index = 0; index < 60; index++) {
      feed.note({ lines: [[index, "lib", "out", 0, "x".repeat(1024 * 1024)]] });
      // Whoever comes has what waits sent to all.
      feed.subscribe(undefined, () => undefined)();
    }
    socket.resume();
    await closed;
  });

  test("nothing once it is closed, and those who follow are let go", async () => {
    const follower = follow();
    await follower.until(({ messages }) => messages.length > 0);
    server.close();
    await follower.until(({ hasEnded }) => hasEnded);
    await expect(ask(port, "/")).rejects.toThrow(/ECONNREFUSED/);
  });
});
