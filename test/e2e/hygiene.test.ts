import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { embeddedEngine } from "../../src/engine/index.ts";
import { cliFile } from "./cli-process.ts";
import { LoopProject } from "./loop-project.ts";
import { TerminalProcess } from "./terminal-process.ts";

/** What a function leaves on the machine while it runs, looked up from outside. */
interface Traces {
  cli: number;
  host: number;
  container: number;
  /** That these processes listen on. */
  ports: number[];
}

/** Processes of the machine by their words; containers are among them. */
function processes(isWanted: (words: string[]) => boolean): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => isWanted(read(`/proc/${pid}/cmdline`).split("\0").slice(0, -1)))
    .map(Number);
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/** Neither running nor a zombie that only waits to be counted. */
function isGone(pid: number): boolean {
  const state = read(`/proc/${pid}/stat`).replace(/^.*\) /s, "")[0];
  return state === undefined || state === "Z";
}

async function isOpen(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** A long container is told from those of other tests by how long it sleeps. */
let seconds: number;
let project: LoopProject;
const terminals: TerminalProcess[] = [];
beforeEach(() => {
  seconds = 100_000 + Math.floor(Math.random() * 800_000);
  project = new LoopProject();
  project.write("ci/src/index.ts", read(project.at("ci/src/index.ts")).replace("sleep 600", `sleep ${seconds}`));
  project.write("lib/a.txt", "slow\n");
});
afterEach(async () => {
  for (const terminal of terminals.splice(0)) await terminal.remove();
  await project.remove();
});

const sleepers = (): number[] => processes((words) => words[0] === "sleep" && words[1] === String(seconds));

/** The host is the CLI's child, or the child of the helper that made its boundary. */
const isBelow = (pid: number, cli: number | undefined): boolean =>
  parentOf(pid) === cli || parentOf(parentOf(pid)) === cli;

function tracesOf(cli: number): Traces {
  const [host] = processes((words) => words.some((word) => word.endsWith("function-runtime.js"))).filter((pid) =>
    isBelow(pid, cli),
  );
  const [container] = sleepers();
  if (host === undefined || container === undefined)
    throw new Error(`nothing runs: ${JSON.stringify({ host, container })}`);
  return { cli, host, container, ports: [cli, host].flatMap(portsOf) };
}

function portsOf(pid: number): number[] {
  const sockets = new Set(
    readdirSync(`/proc/${pid}/fd`).map((fd) => /^socket:\[(\d+)\]$/.exec(target(`/proc/${pid}/fd/${fd}`))?.[1]),
  );
  const listening = ["tcp", "tcp6"].flatMap((name) =>
    read(`/proc/${pid}/net/${name}`)
      .split("\n")
      .map((line) => line.trim().split(/\s+/)),
  );
  return listening
    .filter((words) => words[3] === "0A" && sockets.has(words[9]))
    .map((words) => Number.parseInt(words[1]!.split(":")[1]!, 16));
}

function target(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return "";
  }
}

function parentOf(pid: number): number {
  return Number(
    read(`/proc/${pid}/stat`)
      .replace(/^.*\) /s, "")
      .split(" ")[1],
  );
}

/** Ports, containers and processes go on their own time; what is still there after this long has been left behind. */
const graceMs = 10_000;

/** What of it is still there; waits until nothing but `expected` is, but no longer than the grace. */
async function left({ cli, host, container, ports }: Traces, expected: string[] = []): Promise<string[]> {
  for (const startedMs = performance.now(); ;) {
    const remains = [
      ...(isGone(cli) ? [] : ["cli"]),
      ...(isGone(host) ? [] : ["function runtime"]),
      ...(isGone(container) && sleepers().length === 0 ? [] : ["container"]),
      ...(await Promise.all(ports.map(isOpen))).flatMap((open) => (open ? ["port"] : [])),
      ...readdirSync(project.at(".fastloop")).filter(
        (name) => name === "lock" || name.startsWith("probe") || name.endsWith(".tmp"),
      ),
    ];
    if (remains.join() === expected.join() || performance.now() - startedMs > graceMs) return remains;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function running(terminal: TerminalProcess): Promise<Traces> {
  terminals.push(terminal);
  await terminal.shows(/▶ running +lib/);
  for (const startedMs = performance.now(); sleepers().length === 0 && performance.now() - startedMs < 60_000;) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return tracesOf((JSON.parse(read(project.at(".fastloop/lock"))) as { pid: number }).pid);
}

describe("a watch whose function runs in a container leaves nothing behind", () => {
  test.each<[string, (terminal: TerminalProcess, cli: number) => unknown]>([
    ["Ctrl-C", (terminal) => terminal.press("\u0003")],
    ["Ctrl-C twice", (terminal) => terminal.press("\u0003\u0003")],
    ["the key q", (terminal) => terminal.press("q")],
    ["SIGTERM", (_terminal, cli) => process.kill(cli, "SIGTERM")],
    ["SIGHUP", (_terminal, cli) => process.kill(cli, "SIGHUP")],
    ["a closed terminal", (terminal) => terminal.hangUp()],
  ])("after %s", async (_name, end) => {
    const terminal = new TerminalProcess(project.root, ["watch", "lib"]);
    const traces = await running(terminal);
    await end(terminal, traces.cli);
    expect(await left(traces)).toEqual([]);
  });

  test.each(["SIGKILL", "SIGABRT"] as const)(
    "after %s but for the lock, which the next start takes over",
    async (signal) => {
      const terminal = new TerminalProcess(project.root, ["watch", "lib"]);
      const traces = await running(terminal);
      process.kill(traces.cli, signal);
      expect(await left(traces, ["lock"])).toEqual(["lock"]);
      const log = readdirSync(project.at(".fastloop/runs")).filter((name) => name.endsWith(".log"));
      expect(log).toHaveLength(1);
      project.write("lib/a.txt", "lib two\n");
      expect(await project.run("run", "lib")).toMatchObject({ exitCode: 0 });
      expect(existsSync(project.at(".fastloop/lock"))).toBe(false);
      // The log of the run that never ended is swept as well.
      expect(existsSync(project.at(`.fastloop/runs/${log[0]}`))).toBe(false);
    },
  );

  test("a stale run is told to be cancelled when its container is gone, not before", async () => {
    const watch = project.watch("lib");
    while (!JSON.stringify(await watch.next("output")).includes("sleeping")) continue;
    while (sleepers().length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    project.write("lib/a.txt", "lib two\n");
    expect(await watch.next("finished", "lib")).toMatchObject({ outcome: "cancelled" });
    expect(sleepers()).toEqual([]);
  });
});

test("a body in an endless loop does not outlive a CLI that was killed", async () => {
  project.write(
    "ci/src/index.ts",
    `
import { func, object } from "@dagger.io/dagger"
@object()
export class Loop {
  @func()
  spin(): string { for (;;); }
}
`,
  );
  const cli = spawn(process.execPath, [cliFile, "call", "spin"], { cwd: project.root, stdio: "ignore" });
  const host = (): number | undefined =>
    processes((words) => words.some((word) => word.endsWith("function-runtime.js"))).find((pid) =>
      isBelow(pid, cli.pid),
    );
  /** Ticks of 10 ms that it computed: loading takes some, the loop takes all. */
  const ticks = (pid: number): number =>
    Number(
      read(`/proc/${pid}/stat`)
        .replace(/^.*\) /s, "")
        .split(" ")[11],
    );
  let pid: number | undefined;
  while ((pid = host()) === undefined || ticks(pid) < 300) await new Promise((resolve) => setTimeout(resolve, 50));
  cli.kill("SIGKILL");
  const spinning = pid;
  await expect.poll(() => isGone(spinning), { timeout: graceMs }).toBe(true);
});

test("a function whose engine is killed runs again on a new one, and has not failed", async () => {
  const shared = process.env["XDG_STATE_HOME"];
  const state = mkdtempSync(path.join(tmpdir(), "fastloop-engine-"));
  // An engine of its own: the others are shared with other tests.
  process.env["XDG_STATE_HOME"] = state;
  try {
    const watch = project.watch("lib");
    while (!JSON.stringify(await watch.next("output")).includes("sleeping")) continue;
    const status = JSON.parse((await project.run("engine", "status", "--json")).stdout) as { pid: number };
    process.kill(status.pid, "SIGKILL");
    expect(await watch.next("notice")).toMatchObject({ text: expect.stringContaining("lib") });
    while (!JSON.stringify(await watch.next("output")).includes("sleeping")) continue;
    project.write("lib/a.txt", "lib two\n");
    expect(await watch.next("finished", "lib")).toMatchObject({ outcome: "cancelled" });
    expect(await watch.next("finished", "lib")).toMatchObject({ outcome: "passed", attempts: 1 });
    await watch.kill("SIGINT");
  } finally {
    await (await embeddedEngine()).stop(true);
    process.env["XDG_STATE_HOME"] = shared;
    rmSync(state, { recursive: true, force: true });
  }
});
