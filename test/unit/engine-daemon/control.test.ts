import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { startControl, type ControlOptions } from "../../../src/engine-daemon/control/control.ts";
import { confineProgram } from "../../../src/module/index.ts";
import type { Session, SessionHooks } from "../../../src/engine-daemon/control/sessions.ts";

const secret = "s".repeat(64);
const headers = { authorization: `Bearer ${secret}` };

it.each([
  ["no secret", {}],
  ["another secret", { authorization: `Bearer ${"t".repeat(64)}` }],
  ["part of the secret", { authorization: `Bearer ${"s".repeat(63)}` }],
  ["the secret by another scheme", { authorization: secret }],
])("refuses who shows %s, whatever is asked, and notes who it was", async (_what, shown) => {
  const folder = mkdtempSync(path.join(tmpdir(), "fastloop-control-"));
  const socket = path.join(folder, "control.sock");
  const notes: string[] = [];
  const asked = (): never => {
    throw new Error("asked all the same");
  };
  const control = await startControl({
    socket,
    secret,
    status: asked,
    stop: asked,
    sessions: { open: asked, find: asked },
    onNote: (text: string) => notes.push(text),
    onError: asked,
  } as unknown as ControlOptions);
  onTestFinished(() => {
    control.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const requests: [string, string, Record<string, string>][] = [
    ["GET", "/status", {}],
    ["POST", "/sessions", {}],
    ["POST", "/caches", {}],
    ["POST", "/stop", {}],
    ["GET", "/terminal", { connection: "Upgrade", upgrade: "fastloop-terminal" }],
  ];
  for (const [method, route, more] of requests) {
    const request = http.request({
      socketPath: socket,
      method,
      path: route,
      headers: { ...more, ...shown },
      agent: false,
    });
    request.end(method === "POST" ? "{}" : undefined);
    const [response] = (await once(request, "response")) as [http.IncomingMessage];
    expect([route, response.statusCode]).toEqual([route, 401]);
    response.resume();
  }
  expect(notes).toHaveLength(4);
  // Where the helper is built, the kernel says who it was: this process.
  if (confineProgram() !== undefined) expect(notes[0]).toContain(`pid ${process.pid} (`);
});

it("answers with the session before it tells that the session has ended, whenever that is", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "fastloop-control-"));
  const socket = path.join(folder, "control.sock");
  const open: SessionHooks[] = [];
  const endAll = (): void => open.splice(0).forEach((hooks) => hooks.onClosed("buildkitd ended by itself"));
  const sessions = {
    count: 1,
    open: async (_client: unknown, _request: unknown, hooks: SessionHooks) => {
      open.push(hooks);
      return { token: "t", close: () => Promise.resolve() } as unknown as Session;
    },
  };
  const control = await startControl({
    socket,
    secret,
    onNote: () => undefined,
    graphqlPort: 7,
    buildId: "b",
    sessions,
    client: () => Promise.resolve({}),
    // BuildKit ends right before the session opens.
    engineInfo: () => {
      endAll();
      return { kind: "embedded", version: "v", reason: "" };
    },
    onError: (error: unknown) => {
      throw error;
    },
  } as unknown as ControlOptions);
  onTestFinished(() => {
    control.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const lines = await new Promise<string>((resolve, reject) => {
    const request = http.request(
      { socketPath: socket, method: "POST", path: "/sessions", headers, agent: false },
      (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
          endAll();
        });
        response.once("end", () => resolve(text));
      },
    );
    request.once("error", reject);
    request.end(JSON.stringify({ buildId: "b", workdir: "/", env: {} }));
  });
  expect(
    lines
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as object),
  ).toEqual([
    { port: 7, token: "t", engine: { kind: "embedded", version: "v", reason: "" } },
    { kind: "alive" },
    { kind: "session-ended", reason: "buildkitd ended by itself" },
  ]);
});

it("stops writing caches when the client is gone", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "fastloop-control-"));
  const socket = path.join(folder, "control.sock");
  let begun = (_signal: AbortSignal): void => undefined;
  const writing = new Promise<AbortSignal>((resolve) => (begun = resolve));
  const exportCaches = (signal: AbortSignal): Promise<string[]> => {
    begun(signal);
    return new Promise((resolve) => signal.addEventListener("abort", () => resolve([])));
  };
  const session = { signal: new AbortController().signal, api: { exportCaches } } as unknown as Session;
  const find = (token: string) => (token === "t" || token === "b" ? { session, isBody: token === "b" } : undefined);
  const unexpected = (error: unknown): never => {
    throw error;
  };
  const control = await startControl({
    socket,
    secret,
    sessions: { find },
    onError: unexpected,
  } as unknown as ControlOptions);
  onTestFinished(() => {
    control.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const post = (token: string): http.ClientRequest => {
    const request = http.request({ socketPath: socket, method: "POST", path: "/caches", headers, agent: false });
    request.on("error", () => undefined).end(JSON.stringify({ token }));
    return request;
  };
  // A function body's token does not open the control socket's door either.
  const [refused] = (await once(post("b"), "response")) as [http.IncomingMessage];
  expect(refused.statusCode).toBe(404);
  const request = post("t");
  const signal = await writing;
  const aborted = once(signal, "abort");
  request.destroy();
  await aborted;
  expect(signal.aborted).toBe(true);
});

it("closes thousands of connections on which no request is completed, and answers its user then", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "fastloop-control-"));
  const socket = path.join(folder, "control.sock");
  const errors: unknown[] = [];
  const control = await startControl({
    socket,
    secret,
    status: () => ({ buildId: "b" }),
    onNote: () => undefined,
    onError: (error: unknown) => errors.push(error),
  } as unknown as ControlOptions);
  const held = new Set<net.Socket>();
  onTestFinished(() => {
    for (const each of held) each.destroy();
    control.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const words = [
    "",
    "GET /sta",
    "POST /sessions HTTP/1.1\r\nHost: x\r\n",
    "\0\xff\r\n\r\n",
    `GET /${"a".repeat(100_000)}`,
  ];
  const closed = Array.from({ length: 2000 }, (_, index) => {
    const connection = net.connect(socket);
    held.add(connection.on("error", () => undefined));
    connection.write(words[index % words.length]!);
    // Also one that finds no room in the queue.
    return new Promise((resolve) => connection.resume().once("close", resolve));
  });
  await Promise.all(closed);
  const answer = await ask(socket, "GET", "/status");
  expect(answer).toEqual([200, '{"buildId":"b"}']);
  expect(errors).toEqual([]);
}, 30_000);

it.each([
  ["of gigabytes", 413, Buffer.alloc(20 * 1024 * 1024, " ")],
  ["that is no JSON", 400, Buffer.from("{")],
])("refuses a body %s", async (_what, status, body) => {
  const folder = mkdtempSync(path.join(tmpdir(), "fastloop-control-"));
  const socket = path.join(folder, "control.sock");
  const errors: unknown[] = [];
  const control = await startControl({
    socket,
    secret,
    sessions: { count: 0 },
    stop: () => errors.push("stopped"),
    onNote: () => undefined,
    onError: (error: unknown) => errors.push(error),
  } as unknown as ControlOptions);
  onTestFinished(() => {
    control.close();
    rmSync(folder, { recursive: true, force: true });
  });
  expect((await ask(socket, "POST", "/stop", body))[0]).toBe(status);
  expect(errors).toEqual([]);
});

async function ask(socketPath: string, method: string, route: string, body?: Buffer): Promise<[number, string]> {
  const request = http.request({ socketPath, method, path: route, headers, agent: false });
  request.on("error", () => undefined);
  request.end(body);
  const [response] = (await once(request, "response")) as [http.IncomingMessage];
  let text = "";
  for await (const piece of response.setEncoding("utf8")) text += piece as string;
  return [response.statusCode ?? 0, text];
}
