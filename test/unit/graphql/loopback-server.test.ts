import { once } from "node:events";
import net from "node:net";
import { setImmediate } from "node:timers/promises";
import { afterEach, expect, it } from "vitest";
import { startLoopbackServer, type Answer, type LoopbackServer } from "../../../src/graphql/loopback-server.ts";

let server: LoopbackServer | undefined;
const clients: net.Socket[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
  server?.close();
});

/** Sends a request whose answer nobody reads yet; `isRead` is the server's. */
async function asked(answer: Answer): Promise<{ client: net.Socket; isRead: Promise<void>; working: () => number }> {
  let count = 0;
  const contexts: { isRead: Promise<void> }[] = [];
  server = await startLoopbackServer({
    find: (token) => (token === "t" ? {} : undefined),
    working: () => ((count += 1), () => (count -= 1)),
    answer: async (_client, _request, context) => (contexts.push(context), answer),
    onError: (error) => expect.unreachable(String(error)),
  });
  const client = net.connect({ port: server.port, host: "127.0.0.1" });
  clients.push(client);
  const body = JSON.stringify({ query: "{a}" });
  client.write(
    [
      "POST /query HTTP/1.1",
      `Host: 127.0.0.1:${server.port}`,
      `Authorization: Basic ${Buffer.from("t:").toString("base64")}`,
      "Content-Type: application/json",
      `Content-Length: ${body.length}`,
      "",
      body,
    ].join("\r\n"),
  );
  // The first bytes are there; they stay in the system's buffers until somebody reads them.
  await once(client, "readable");
  return { client, isRead: contexts[0]!.isRead, working: () => count };
}

/** More than the system holds for a connection. */
const large = "x".repeat(32 * 1024 * 1024);

it.each<[string, Answer]>([
  ["text", { status: 200, text: large }],
  ["one value", { status: 200, json: large }],
])("an answer of %s counts until its client has taken it", async (_what, answer) => {
  const { client, isRead, working } = await asked(answer);
  let isOver = false;
  void isRead.then(() => (isOver = true));
  for (let turn = 0; turn < 20; turn++) await setImmediate();
  expect([isOver, working()]).toEqual([false, 1]);
  client.resume();
  await isRead;
  await setImmediate();
  expect(working()).toBe(0);
});

it("an answer counts no more when its client has gone", async () => {
  const { client, isRead, working } = await asked({ status: 200, text: large });
  client.destroy();
  await isRead;
  await setImmediate();
  expect(working()).toBe(0);
});

it("a small answer is on its way at once", async () => {
  const { isRead, working } = await asked({ status: 200, text: "{}" });
  await isRead;
  await setImmediate();
  expect(working()).toBe(0);
});

it("connections of strangers are closed: those that say nothing or too little, and those that are refused", async () => {
  server = await startLoopbackServer({
    find: () => undefined,
    answer: async () => ({ status: 200, text: "{}" }),
    onError: (error) => expect.unreachable(String(error)),
    headersTimeoutMs: 200,
  });
  const { port } = server;
  const words = ["", "POST /que", `POST /query HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Length: 0\r\n\r\n`];
  const closed = Array.from({ length: 300 }, (_, index) => {
    const connection = net.connect({ port, host: "127.0.0.1" }).on("error", () => undefined);
    clients.push(connection);
    connection.write(words[index % words.length]!);
    return new Promise((resolve) => connection.resume().once("close", resolve));
  });
  await Promise.all(closed);
});
