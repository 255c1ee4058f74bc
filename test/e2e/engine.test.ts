import { spawn, type ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { build } from "esbuild";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { embeddedEngine, openSession, type DaemonStatus } from "../../src/engine/index.ts";

// An engine that is killed is an engine of its own, not the one that the other tests share.
const state = mkdtempSync(path.join(tmpdir(), "fastloop-engine-"));
const shared = process.env["XDG_STATE_HOME"];
const program = path.resolve(import.meta.dirname, "../../dist/fastloop.js");
const children: ChildProcess[] = [];

beforeAll(() => {
  process.env["XDG_STATE_HOME"] = state;
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});
afterAll(async () => {
  await (await embeddedEngine()).stop(true);
  process.env["XDG_STATE_HOME"] = shared;
  rmSync(state, { recursive: true, force: true });
});

const engine = () => embeddedEngine();
const status = async (): Promise<DaemonStatus> => {
  const now = await (await engine()).status();
  if (now === undefined) throw new Error("the engine does not run");
  return now;
};
const open = () => openSession({ workdir: state, engine: "embedded" });

function fastloop(...args: string[]): ChildProcess {
  const child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "pipe"], env: process.env });
  children.push(child);
  return child;
}

function result(child: ChildProcess): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const texts = { stdout: "", stderr: "" };
  child.stdout?.on("data", (chunk: Buffer) => (texts.stdout += chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => (texts.stderr += chunk.toString()));
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, ...texts })));
}

/** False for a zombie: it holds nothing any more. */
function alive(pid: number | undefined): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  // A fresh engine unpacks its first image, which took 19 s on a machine with a slow disk.
  await expect.poll(condition, { timeout: 120_000, interval: 20 }).toBe(true);
}

describe("the embedded engine", () => {
  it("is one, however many commands start it at once", async () => {
    const results = await Promise.all(Array.from({ length: 5 }, () => result(fastloop("engine", "start", "--json"))));
    // On a busy machine a start that takes longer than two seconds is told, and nothing else.
    const told = results.map(({ code, stderr }) => ({ code, stderr: stderr.replaceAll(/^.* is starting .*\n/gm, "") }));
    expect(told).toEqual(results.map(() => ({ code: 0, stderr: "" })));
    const pids = results.map(({ stdout }) => (JSON.parse(stdout) as DaemonStatus).pid);
    expect(new Set(pids).size).toBe(1);
    expect((await status()).pid).toBe(pids[0]);
  });

  it("serves the next session when it is up, and says which engine it is and why", async () => {
    await (await open()).close();
    const { pid } = await status();
    const session = await open();
    expect((await status()).pid).toBe(pid);
    expect(session.engine).toMatchObject({
      kind: "embedded",
      version: expect.stringMatching(/^fastloop .* on buildkit v/) as string,
    });
    expect(session.engine.reason).not.toBe("");
    expect(await session.query("{ version }")).toMatchObject({ version: expect.stringMatching(/^v0\.21/) as string });
    await session.close();
  });

  it("lends a session to a program, and passes its exit code on", async () => {
    const script = `
      const { DAGGER_SESSION_PORT: port, DAGGER_SESSION_TOKEN: token } = process.env;
      const authorization = "Basic " + Buffer.from(token + ":").toString("base64");
      const response = await fetch("http://127.0.0.1:" + port + "/query", {
        method: "POST", headers: { authorization, "content-type": "application/json" }, body: JSON.stringify({ query: "{ version }" }),
      });
      console.log(JSON.stringify((await response.json()).data));
      process.exit(7);`;
    const { code, stdout } = await result(
      fastloop("session", "--", process.execPath, "--input-type=module", "-e", script),
    );
    expect(JSON.parse(stdout)).toMatchObject({ version: expect.stringMatching(/^v/) as string });
    expect(code).toBe(7);
  });

  it("forwards signals to the program of a session", async () => {
    const script = `process.on("SIGTERM", () => process.exit(9)); console.log("ready"); setInterval(() => {}, 1000);`;
    const child = fastloop("session", "--", process.execPath, "-e", script);
    const ended = result(child);
    await new Promise<void>((resolve) =>
      createInterface({ input: child.stdout as NodeJS.ReadableStream }).once("line", () => resolve()),
    );
    child.kill("SIGTERM");
    expect((await ended).code).toBe(9);
  });

  it("says 127 for a program that is not there", async () => {
    const { code, stderr } = await result(fastloop("session", "--", "no-such-program"));
    expect(code).toBe(127);
    expect(stderr).toContain("no-such-program: command not found");
  });

  it("ends the session of a command that was killed, and what that session ran", async () => {
    const query = `{ container { from(address: "debian:bookworm-slim") { withExec(args: ["sleep", "3600"]) { stdout } } } }`;
    const script = `
      const { DAGGER_SESSION_PORT: port, DAGGER_SESSION_TOKEN: token } = process.env;
      const authorization = "Basic " + Buffer.from(token + ":").toString("base64");
      await fetch("http://127.0.0.1:" + port + "/query", {
        method: "POST", headers: { authorization, "content-type": "application/json" }, body: ${JSON.stringify(JSON.stringify({ query }))},
      });`;
    const child = fastloop("session", "--", process.execPath, "--input-type=module", "-e", script);
    const { buildkit } = await status();
    await until(() => sleepers(buildkit.rootDir).length === 1);
    expect((await status()).sessions).toBe(1);
    child.kill("SIGKILL");
    await until(async () => (await status()).sessions === 0);
    await until(() => sleepers(buildkit.rootDir).length === 0);
  });

  it("refuses to stop while a session is open, unless forced", async () => {
    const session = await open();
    const { code, stderr } = await result(fastloop("engine", "stop"));
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining("a session is open") as string });
    await session.close();
  });

  it("starts buildkitd again when that was killed, and tells the session that ran on it", async () => {
    const session = await open();
    const before = await status();
    process.kill(before.buildkit.pid ?? 0, "SIGKILL");
    await until(async () => {
      const error: unknown = await session.query("{ version }").catch((reason: unknown) => reason);
      return error instanceof Error && /the engine's session ended: buildkitd ended/.test(error.message);
    });
    // A buildkitd that lived only for a moment is not started again by itself; a new command starts over.
    const again = await open();
    expect(await again.query("{ version }")).toMatchObject({ version: expect.stringMatching(/^v/) as string });
    expect((await status()).buildkit.pid).not.toBe(before.buildkit.pid);
    await again.close();
  });

  it("leaves no process behind when it is killed, and starts clean", async () => {
    const before = await status();
    process.kill(before.pid, "SIGKILL");
    await until(() => !alive(before.pid));
    const session = await open();
    const now = await status();
    expect(now.pid).not.toBe(before.pid);
    expect(alive(before.buildkit.pid)).toBe(false);
    expect(alive(before.registry?.pid)).toBe(false);
    expect(await session.query("{ version }")).toMatchObject({ version: expect.stringMatching(/^v/) as string });
    await session.close();
  });

  it("keeps its cache when it is killed: what it ran is not run again", async () => {
    const word = randomUUID();
    const query = `{ container { from(address: "debian:bookworm-slim") { withExec(args: ["sh", "-c", "cat /proc/sys/kernel/random/uuid # ${word}"]) { stdout } } } }`;
    const first = await open();
    const answer = await first.query(query);
    // Written at the latest when the results of a session are released.
    await first.close();
    const before = await status();
    process.kill(before.pid, "SIGKILL");
    await until(() => !alive(before.pid));
    const second = await open();
    expect(await second.query(query)).toEqual(answer);
    await second.close();
  });

  it.runIf(process.getuid?.() === 0)("says what a user without root can do", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "fastloop-nobody-"));
    chownSync(folder, 65_534, 65_534);
    const home = { HOME: folder, XDG_STATE_HOME: folder };
    const script = `process.setgroups([]); process.setgid(65534); process.setuid(65534);
      const { startDaemon } = require(process.argv[1]);
      startDaemon().catch((error) => console.log(JSON.stringify({ message: error.message, hint: error.hint })));`;
    const entry = path.join(folder, "start.cjs");
    const contents = `import { startBuildkitd } from "./src/engine-daemon/buildkitd/buildkitd.ts";
      export const startDaemon = () => startBuildkitd({ state: ${JSON.stringify(folder)}, command: "buildkitd", mirror: undefined, cgroupParent: undefined, log: { file: "", write: () => undefined } });`;
    const resolveDir = path.resolve(import.meta.dirname, "../..");
    await build({
      stdin: { contents, resolveDir, loader: "ts" },
      outfile: entry,
      bundle: true,
      platform: "node",
      format: "cjs",
      logLevel: "error",
    });
    chmodSync(entry, 0o644);
    const child = spawn(process.execPath, ["-e", script, entry], {
      cwd: "/",
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...home },
    });
    const { stdout, stderr } = await result(child);
    expect({ stderr, ...(JSON.parse(stdout) as object) }).toEqual({
      stderr: "",
      message: "the embedded engine's buildkitd needs root",
      hint: "run as root (sudo), install docker or podman, or name a (rootless) BuildKit daemon with BUILDKIT_HOST",
    });
    rmSync(folder, { recursive: true });
  });

  it("stops itself after its idle time, and takes everything with it", async () => {
    await (await engine()).stop(true);
    const started = await (await engine()).start({ idle: "300ms" });
    await until(() => !alive(started.pid));
    expect(alive(started.buildkit.pid)).toBe(false);
    expect(alive(started.registry?.pid)).toBe(false);
    expect(existsSync(path.join(started.stateDir, "control.sock"))).toBe(false);
    const { code, stdout } = await result(fastloop("engine", "status", "--json"));
    expect({ code, ...(JSON.parse(stdout) as object) }).toMatchObject({ code: 3, running: false });
  });

  it("that can't start is exit code 3 with the tail of its log", async () => {
    const env = { ...process.env, BUILDKIT_HOST: `unix://${state}/nothing.sock` };
    const child = spawn(process.execPath, [program, "engine", "start"], { stdio: ["ignore", "pipe", "pipe"], env });
    const { code, stderr } = await result(child);
    expect(code).toBe(3);
    expect(stderr).toContain(`unix://${state}/nothing.sock`);
    expect(stderr).toContain("hint:");
  });
});

/** `sleep 3600` processes in containers of a BuildKit. */
function sleepers(rootDir: string | undefined): number[] {
  const listing = mountedBelow(rootDir ?? "/nowhere");
  // The helper that runs it has the same words at its end.
  return listing.filter((pid) => readCommand(pid) === ["sleep", "3600", ""].join("\0"));
}

function mountedBelow(folder: string): number[] {
  return readPids().filter((pid) => {
    try {
      const root = readFileSync(`/proc/${pid}/mountinfo`, "utf8")
        .split("\n")
        .find((line) => line.split(" ")[4] === "/");
      return root?.includes(folder) === true;
    } catch {
      return false;
    }
  });
}

function readPids(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function readCommand(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}
