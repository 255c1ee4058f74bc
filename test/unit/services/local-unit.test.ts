import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { HostProcess } from "../../../src/services/unit/host-process.ts";
import { LocalUnit } from "../../../src/services/unit/local-unit.ts";
import { withPortOffset, type DeclaredService, type UpEvent } from "../../../src/services/index.ts";
import { portHolder, type PortHolder } from "../../../src/services/ports/holder.ts";
import { freePorts } from "../../e2e/up-project.ts";
import { askKey, asksOfLocal } from "../../../src/trust/index.ts";
import { isGroupThere } from "../../process-group.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "fastloop-local-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const declared = (serve: string, run?: string): DeclaredService => ({
  name: "web",
  source: { kind: "local", run, serve, cwd: ".", env: {} },
  needs: [],
  ports: [],
  health: { timeoutMs: 5_000, host: "localhost" },
  memoryBytes: undefined,
  exclusive: true,
  reloads: false,
  place: "fastloop.yaml: local.web",
  description: serve,
});

const made = { id: "", hostname: "", ports: [] };
const signal = new AbortController().signal;
const edit = { action: "restart" as const, edits: [], commands: [], files: ["in"] };

/** A unit, what it told, and a way to wait for that. */
function unitOf(of: DeclaredService) {
  const events: UpEvent[] = [];
  const unit = new LocalUnit({
    declared: of,
    fronts: [],
    session: undefined as never,
    logFile: undefined,
    root,
    env: process.env,
    needed: () => [],
    emit: (event) => void events.push(event),
  });
  const phases = (): string[] => events.flatMap((event) => (event.kind === "state" ? [event.service.phase] : []));
  const told = async (holds: (event: UpEvent) => boolean): Promise<void> => {
    while (!events.some(holds)) await setTimeout(20);
  };
  return { unit, events, phases, told };
}

const groupOf = async (file: string): Promise<number> => {
  const text = (): string => (existsSync(path.join(root, file)) ? readFileSync(path.join(root, file), "utf8") : "");
  while (!text().endsWith("\n")) await setTimeout(20);
  return Number(text());
};

it("who asks for time to end has it, and who would not end is ended", { timeout: 60_000 }, async () => {
  let said = "";
  const start = (command: string): HostProcess =>
    new HostProcess({ command, cwd: root, env: process.env, onOutput: (_stream, text) => void (said += text) });
  const tidy = start("trap 'echo tidied up; exit 0' TERM; echo $$ > tidy; while :; do sleep 0.02; done");
  const group = await groupOf("tidy");
  await tidy.stop();
  expect(await tidy.ended).toBeUndefined();
  expect(said).toContain("tidied up");
  expect(isGroupThere(group)).toBe(false);
  const deaf = start("trap '' TERM; sh -c 'trap \"\" TERM; while :; do sleep 1; done' & echo $$ > deaf; wait");
  const other = await groupOf("deaf");
  await deaf.stop();
  expect(await deaf.ended).toBe("SIGKILL");
  expect(isGroupThere(other)).toBe(false);
});

it(
  "a server that is late after a start of its own is told, and well when it answers",
  { timeout: 120_000 },
  async () => {
    const [port = 0] = await freePorts(1);
    const listen = `exec node -e 'require("net").createServer().listen(${port}, "localhost")'`;
    const serve = `test -e flag && { while test ! -e go; do sleep 0.1; done; ${listen}; }; touch flag; ${listen}`;
    const late = {
      ...declared(serve),
      ports: [{ host: port, container: port }],
      health: { timeoutMs: 20_000, host: "localhost" },
    };
    const { unit, events, phases, told } = unitOf(late);
    await unit.start(made, signal);
    expect(phases().at(-1)).toBe("healthy");
    unit.describe({ declared: { ...late, health: { ...late.health, timeoutMs: 300 } }, fronts: [] });
    // The kernel's table can lack a socket while others come and go.
    let holder: PortHolder | undefined;
    while ((holder = portHolder(port)) === undefined) await setTimeout(50);
    process.kill(holder.pid, "SIGKILL");
    await told((event) => event.kind === "state" && event.service.phase === "unhealthy");
    const reason = events.findLast((event) => event.kind === "state")!.service.reason;
    expect(reason).toContain(`nothing listens on port ${port}`);
    writeFileSync(path.join(root, "go"), "");
    while (unit.status.phase !== "healthy") await setTimeout(50);
    await unit.stop();
    unit.close();
    expect(unit.status.phase).toBe("stopped");
  },
);

it("after an edit that failed it is mended by the next, and ends whole", { timeout: 60_000 }, async () => {
  const { unit, events, phases } = unitOf(
    declared("echo $$ > group; test ! -e bad || exit 5; while :; do sleep 0.05; done", "test ! -e broken"),
  );
  const outcome = (): string => {
    const last = events.findLast((event) => event.kind === "edit");
    return last?.kind === "edit" ? last.action : "none";
  };
  await unit.start(made, signal);
  const first = await groupOf("group");
  writeFileSync(path.join(root, "broken"), "");
  await unit.edit(edit, signal);
  expect([outcome(), unit.status.phase, isGroupThere(first)]).toEqual(["failed", "healthy", true]);
  rmSync(path.join(root, "broken"));
  writeFileSync(path.join(root, "bad"), "");
  await unit.edit(edit, signal);
  expect([outcome(), unit.status.phase, isGroupThere(first)]).toEqual(["failed", "failed", false]);
  expect(unit.status.reason).toContain("exit code: 5");
  rmSync(path.join(root, "bad"));
  await unit.edit(edit, signal);
  expect([outcome(), unit.status.phase]).toEqual(["restarted", "healthy"]);
  const last = await groupOf("group");
  expect(isGroupThere(last)).toBe(true);
  // Once more one that fails, and then the end.
  writeFileSync(path.join(root, "broken"), "");
  await unit.edit(edit, signal);
  await unit.stop();
  unit.close();
  expect(isGroupThere(last)).toBe(false);
  expect(phases().at(-1)).toBe("stopped");
});

it("its port is in its environment, so many further up as a second checkout wants it", async () => {
  const [local] = withPortOffset(
    [{ ...declared("echo $PORT > port; exit 3"), ports: [{ host: 4000, container: 4000 }] }],
    100,
  );
  expect(local!.ports).toEqual([{ host: 4100, container: 4100 }]);
  const { unit } = unitOf(local!);
  await unit.start(made, signal);
  expect(readFileSync(path.join(root, "port"), "utf8")).toBe("4100\n");
  unit.close();
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
    emit: (event: UpEvent) => void (event.kind === "state" && reasons.push(event.service.reason ?? "")),
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
