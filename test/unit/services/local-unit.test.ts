import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { HostProcess } from "../../../src/services/unit/host-process.ts";
import { LocalUnit } from "../../../src/services/unit/local-unit.ts";
import type { DeclaredService, UpEvent } from "../../../src/services/index.ts";
import { askKey, asksOfLocal } from "../../../src/trust/index.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "fastloop-local-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const declared = (serve: string): DeclaredService => ({
  name: "web",
  source: { kind: "local", run: undefined, serve, cwd: ".", env: {} },
  needs: [],
  ports: [],
  health: { timeoutMs: 5_000, host: "localhost" },
  memoryBytes: undefined,
  exclusive: true,
  reloads: false,
  place: "fastloop.yaml: local.web",
  description: serve,
});

it("each end of a server is told by its own exit code", { timeout: 30_000 }, async () => {
  const reasons: string[] = [];
  const unit = new LocalUnit({
    declared: declared("test -e flag && { echo again >&2; exit 4; }; touch flag; sleep 1; exit 3"),
    fronts: [],
    session: undefined as never,
    logFile: path.join(root, "log"),
    root,
    env: process.env,
    needed: () => [],
    tell: (event: UpEvent) => void (event.kind === "state" && reasons.push(event.service.reason ?? "")),
  });
  await unit.start({ id: "", hostname: "", ports: [] }, new AbortController().signal);
  while (reasons.filter((reason) => reason.includes("it starts again")).length < 2) await setTimeout(50);
  await unit.stop();
  unit.close();
  const [first, second] = reasons.filter((reason) => reason.includes("it starts again"));
  expect(first).toContain("exit code: 3");
  expect(second).toContain("exit code: 4");
  expect(second).toContain("\nagain");
});

it("a folder that is not there is told as that", async () => {
  const cwd = path.join(root, "nowhere");
  const started = new HostProcess({ command: "true", cwd, env: process.env, onOutput: () => undefined });
  expect(await started.ended).toBe(`its \`cwd\` ${cwd} is no folder that is there`);
});

it("all that a command said has been told when it has ended", async () => {
  let said = "";
  const command = "head -c 300000 /dev/zero; echo end; exit 1";
  const onOutput = (_stream: string, text: string): void => void (said += text);
  expect(await new HostProcess({ command, cwd: root, env: process.env, onOutput }).ended).toBe("exit code: 1");
  expect(said.length).toBe(300_004);
});

it("what is trusted of one command is no other", () => {
  const keys = [
    { env: { A: "b rm -rf x" }, run: "echo" },
    { env: { A: "b" }, run: "rm -rf x echo" },
    { run: "make in sub" },
    { run: "make", cwd: "sub" },
    { env: { A: "'b' c" }, run: "d" },
    { env: { A: "b" }, run: "c d" },
  ].map((local) => asksOfLocal("web", local).map(askKey).join());
  expect(new Set(keys).size).toBe(keys.length);
});
