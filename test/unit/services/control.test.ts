import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { controlHeaders } from "../../../src/engine-daemon/index.ts";
import { serveControl, type ControlledUp } from "../../../src/services/control/control.ts";
import { downUp, followUp, openShell, restartUp, statusOfUp } from "../../../src/services/control/client.ts";
import { UpPlace } from "../../../src/services/control/place.ts";
import type { UpEvent, UpStatus } from "../../../src/services/types.ts";

const status = { project: "p", services: [], healthy: true } as unknown as UpStatus;

function aPlace(): UpPlace {
  const root = mkdtempSync(path.join(tmpdir(), "fastloop-up-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const place = new UpPlace(root, { XDG_STATE_HOME: root, HOME: root });
  place.prepare();
  return place;
}

async function served(up: Partial<ControlledUp> = {}): Promise<{ place: UpPlace; asked: string[] }> {
  const place = aPlace();
  const asked: string[] = [];
  const noting =
    (what: string) =>
    async (...words: unknown[]): Promise<void> =>
      void asked.push([what, ...words.flat().filter((word) => typeof word === "string")].join(" "));
  const control = await serveControl(place, {
    status: () => status,
    restart: noting("restart"),
    down: noting("down"),
    shell: noting("shell"),
    subscribe: () => () => undefined,
    ...up,
  });
  onTestFinished(() => control.close());
  return { place, asked };
}

function send(place: UpPlace, method: string, route: string, headers: http.OutgoingHttpHeaders): http.ClientRequest {
  const request = http.request({ socketPath: place.socket, method, path: route, headers, agent: false });
  return request.on("error", () => undefined);
}

it.each([
  ["no secret", {}],
  ["another secret", { authorization: `Bearer ${"0".repeat(64)}` }],
])("does nothing for who shows %s, whatever is asked", async (_what, shown) => {
  const { place, asked } = await served();
  for (const [method, route, more] of [
    ["GET", "/status", {}],
    ["GET", "/events", {}],
    ["POST", "/restart", {}],
    ["POST", "/down", {}],
    ["GET", "/shell", { connection: "Upgrade", upgrade: "fastloop-up-shell" }],
  ] as const) {
    const request = send(place, method, route, { ...more, ...shown });
    request.end();
    const [response] = (await once(request, "response")) as [http.IncomingMessage];
    response.resume();
    expect([route, response.statusCode]).toEqual([route, 401]);
  }
  expect(asked).toEqual([]);
});

it("answers requests that are none in words, and prints nothing for those that break off", async () => {
  const printed = vi.spyOn(console, "error").mockImplementation(() => undefined);
  const { place, asked } = await served();
  const headers = controlHeaders(place.folder);
  for (const [method, route, body, code] of [
    ["POST", "/restart", "{", 400],
    ["POST", "/restart", "x".repeat(2_000_000), 400],
    ["POST", "/restart", '{"names":[1,{},"web"]}', 200],
    ["DELETE", "/status", "", 404],
    ["GET", "/../status", "", 404],
  ] as const) {
    const request = send(place, method, route, headers);
    request.end(body);
    const [response] = (await once(request, "response")) as [http.IncomingMessage];
    response.resume();
    expect([route, response.statusCode]).toEqual([route, code]);
  }
  const broken = send(place, "POST", "/restart", { ...headers, "content-length": 100 });
  broken.write("{");
  await new Promise((resolve) => setTimeout(resolve, 50));
  broken.destroy();
  await expect.poll(() => statusOfUp(place)).toEqual(status);
  expect([asked, printed.mock.calls]).toEqual([["restart web"], []]);
}, 20_000);

it("lets a follower go that does not read, and closes connections that say nothing", async () => {
  const listeners = new Set<(event: UpEvent) => void>();
  const { place } = await served({
    subscribe: (listener) => (listeners.add(listener), () => listeners.delete(listener)),
  });
  const request = send(place, "GET", "/events", controlHeaders(place.folder));
  request.end();
  await once(request, "response");
  const text = "x".repeat(100_000);
  for (let line = 0; line < 400 && listeners.size > 0; line++) {
    for (const listener of listeners) listener({ kind: "log", name: "web", stream: "stdout", text });
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(listeners.size).toBe(0);
  const silent = net
    .connect(place.socket)
    .on("error", () => undefined)
    .resume();
  await once(silent, "close");
}, 20_000);

it("a process that does not answer is told, by every command, and waited for no longer", async () => {
  const place = aPlace();
  const deaf = net.createServer(() => undefined);
  await new Promise<void>((resolve) => deaf.listen(place.socket, resolve));
  onTestFinished(() => void deaf.close());
  place.note("/root", "p");
  const message = `the process that has the services up (pid ${process.pid}) does not answer`;
  const asking = [
    statusOfUp(place),
    restartUp(place, []),
    downUp(place),
    openShell(place, "web", []),
    followUp(
      place,
      () => undefined,
      () => undefined,
      new AbortController().signal,
    ),
  ];
  for (const outcome of await Promise.allSettled(asking))
    expect(outcome).toMatchObject({
      status: "rejected",
      reason: { message, hint: expect.stringContaining("kill -9") },
    });
}, 20_000);

it("a line that was cut, or that no fastloop wrote, is no error of the program", async () => {
  const place = aPlace();
  const odd = http.createServer((_request, response) => response.end('{"services":[]}\n{"kind":"lo'));
  await new Promise<void>((resolve) => odd.listen(place.socket, resolve));
  onTestFinished(() => void odd.close());
  writeFileSync(path.join(place.folder, "control.secret"), "s");
  const seen: unknown[] = [];
  const note = (item: unknown): void => void seen.push(item);
  await followUp(place, note, note, new AbortController().signal);
  expect(seen).toEqual([{ services: [] }]);
  await expect(statusOfUp(place)).rejects.toMatchObject({ code: "usage" });
});
