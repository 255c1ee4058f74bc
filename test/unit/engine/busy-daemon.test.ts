import { mkdtempSync, rmSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { controlSocket } from "../../../src/engine-daemon/index.ts";
import { noteProcess } from "../../../src/engine-daemon/buildkitd/process-file.ts";
import { NoDaemon, readJson, request } from "../../../src/engine/embedded/control.ts";

/** Makes a state folder whose socket closes the first connections unread, as a server at its limit does. */
async function turning(times: number): Promise<string> {
  const state = mkdtempSync(path.join(tmpdir(), "fastloop-busy-"));
  const answering = http.createServer((_request, response) => response.end('{"ok":true}'));
  const server = net.createServer((connection) => {
    if (times-- > 0) connection.destroy();
    else answering.emit("connection", connection);
  });
  await new Promise<void>((resolve) => server.listen(controlSocket(state), resolve));
  onTestFinished(() => {
    server.close();
    answering.closeAllConnections();
    rmSync(state, { recursive: true, force: true });
  });
  return state;
}

it("a daemon with no room for another connection is busy, not absent", async () => {
  const state = await turning(Infinity);
  noteProcess(state, "daemon", process.pid);
  const notices: string[] = [];
  const asked = request(state, "GET", "/status", undefined, { giveUpMs: 2300, onNotice: (text) => notices.push(text) });
  await expect(asked).rejects.toMatchObject({
    code: "engine-unavailable",
    message: `the engine daemon (pid ${process.pid}) is busy: it has as many connections as it takes, for 2 s now`,
    hint: expect.stringContaining("`fastloop engine stop --force` ends it") as string,
  });
  expect(notices).toEqual([expect.stringContaining(`(pid ${process.pid}) is busy`)]);
});

it("a connection that was closed unread is tried again", async () => {
  const state = await turning(3);
  noteProcess(state, "daemon", process.pid);
  expect(await readJson(await request(state, "GET", "/status"))).toEqual({ ok: true });
});

it("a daemon that has ended meanwhile is absent", async () => {
  const state = await turning(1);
  await expect(request(state, "GET", "/status")).rejects.toBeInstanceOf(NoDaemon);
});

it("an interrupted command waits no longer", async () => {
  const state = await turning(Infinity);
  noteProcess(state, "daemon", process.pid);
  const signal = AbortSignal.timeout(150);
  await expect(request(state, "GET", "/status", undefined, { signal })).rejects.toThrow(/abort/i);
});
