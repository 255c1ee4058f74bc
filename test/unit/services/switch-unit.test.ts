import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Front } from "../../../src/services/ports/front.ts";
import { SwitchUnit } from "../../../src/services/unit/switch-unit.ts";
import type { DeclaredService, UpEvent } from "../../../src/services/types.ts";
import { freePorts } from "../../e2e/up-project.ts";

let root: string;
let container: http.Server;
let front: Front;
let unit: SwitchUnit | undefined;

beforeEach(async () => {
  root = mkdtempSync(path.join(tmpdir(), "fastloop-switch-"));
  // Answers as the service's container does.
  container = http.createServer((_request, response) => response.end("container"));
  await new Promise<void>((resolve) => container.listen(0, "127.0.0.1", resolve));
  front = await Front.open(0);
  front.leadTo((container.address() as AddressInfo).port);
});
afterEach(async () => {
  await unit?.stop();
  unit?.close();
  unit = undefined;
  front.close();
  container.close();
  rmSync(root, { recursive: true, force: true });
});

const made = { id: "", hostname: "", ports: [] };
const { signal } = new AbortController();

/** A unit whose service is a process on another port of this machine. */
async function unitOf(command: string | undefined): Promise<{ local: SwitchUnit; port: number; events: UpEvent[] }> {
  const [port = 0] = await freePorts(1);
  const events: UpEvent[] = [];
  const declared: DeclaredService = {
    name: "web",
    source: { kind: "configured" },
    needs: [],
    ports: [{ host: front.port, container: 8080 }],
    health: { timeoutMs: 20_000, host: "localhost" },
    memoryBytes: undefined,
    exclusive: true,
    reloads: false,
    place: "fastloop.yaml: services.web",
    description: "",
    standIn: { port, container: 8080, command, cwd: ".", env: {} },
  };
  const local = (unit = new SwitchUnit({
    declared,
    fronts: [{ front, host: front.port, container: 8080 }],
    session: undefined as never,
    logFile: undefined,
    root,
    env: process.env,
    needed: () => [],
    emit: (event) => void events.push(event),
  }));
  return { local, port, events };
}

/** What answers a new connection to the front. */
const answer = (): Promise<string> =>
  new Promise((resolve) => {
    http
      .get({ host: "127.0.0.1", port: front.port, agent: false }, (response) => void text(response).then(resolve))
      .once("error", (error: NodeJS.ErrnoException) => resolve(`none: ${error.code}`));
  });
const server = (port: number): string =>
  `require("http").createServer((q,s)=>s.end("process")).listen(${port},"127.0.0.1")`;

it("the ports lead to a process when it is ready, and to the container until then", async () => {
  const { local, port, events } = await unitOf(
    `echo started; while [ ! -e ready ]; do sleep 0.05; done; exec "${process.execPath}" server.cjs`,
  );
  writeFileSync(path.join(root, "server.cjs"), server(port));
  const started = local.start(made, signal);
  while (!events.some((event) => event.kind === "log" && event.text.includes("started"))) await setTimeout(20);
  expect(await answer()).toBe("container");
  writeFileSync(path.join(root, "ready"), "");
  await started;
  expect(local.status.phase).toBe("healthy");
  expect(await answer()).toBe("process");
  // A new description while it runs leads there, too.
  local.describe({ declared: local.declared, fronts: local.fronts });
  expect(await answer()).toBe("process");
});

it("the ports lead to the container when a process does not start", async () => {
  const { local } = await unitOf("exit 3");
  await local.start(made, signal);
  expect(local.status.phase).toBe("failed");
  expect(await answer()).toBe("container");
  local.describe({ declared: local.declared, fronts: local.fronts });
  expect(await answer()).toBe("container");
});

it("the ports lead to a process that the user starts at once", async () => {
  const { local, port } = await unitOf(undefined);
  await local.start(made, signal);
  expect(await answer()).toBe("none: ECONNRESET");
  const own = http.createServer((_request, response) => response.end("of the user"));
  await new Promise<void>((resolve) => own.listen(port, "127.0.0.1", resolve));
  expect(await answer()).toBe("of the user");
  own.closeAllConnections();
  own.close();
});
