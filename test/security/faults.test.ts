/** A daemon that is stopped, stuck or killed, and a buildkitd that is: what commands say, and what is left. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { daemonStatus } from "../../src/engine/embedded/control.ts";
import { noteProcess } from "../../src/engine-daemon/buildkitd/process-file.ts";
import { FaultProject, isThere } from "./fault-project.ts";

const project = new FaultProject();
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  project.killCommands();
});
afterAll(() => project.remove());

/** A buildkitd that ends sooner than this is not started again. */
const stableMs = 10_000;

async function ready(): Promise<void> {
  expect(await project.run("call", "-s", "quick")).toMatchObject({ exitCode: 0, stdout: "hello\n" });
}

async function stable(): Promise<void> {
  await ready();
  const up = /^(\S+) engine: buildkitd \S+ is up/gm;
  const since = [...project.log().matchAll(up)].at(-1)![1]!;
  await expect.poll(() => Date.now() - Date.parse(since), { timeout: 2 * stableMs }).toBeGreaterThan(stableMs);
}

const mounts = (): string[] =>
  readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .filter((line) => line.includes(project.top));

/** Nothing runs, nothing is mounted, nobody is asked to wait. */
function expectNothingLeft(pids: readonly number[]): void {
  expect(pids.filter(isThere)).toEqual([]);
  expect(mounts()).toEqual([]);
  const files = readdirSync(project.state);
  expect(files.filter((name) => /\.(?:pid|sock)$/.test(name) || ["tmp", "leases"].includes(name))).toEqual([]);
  const bridge = /"bridge":"(fastloop\w+)"/.exec(configOf("network.conflist"))?.[1];
  if (bridge !== undefined) expect(existsSync(`/sys/class/net/${bridge}`)).toBe(false);
}

function configOf(name: string): string {
  try {
    return readFileSync(path.join(project.state, name), "utf8");
  } catch {
    return "";
  }
}

describe("a daemon that is stopped", () => {
  let pid: number;
  beforeAll(async () => {
    await ready();
    pid = project.pid("daemon");
  });
  afterAll(() => {
    if (isThere(pid)) process.kill(pid, "SIGCONT");
  });

  it("is told with its pid and what to do, by every command that needs it, and none of them waits for ever", async () => {
    process.kill(pid, "SIGSTOP");
    const wanting = [
      ["call", "quick"],
      ["call", "-s", "quick"],
      ["run"],
      ["session", "--", "true"],
      ["engine", "status"],
      ["engine", "status", "--json"],
      ["engine", "start"],
      ["engine", "stop"],
    ];
    const results = await Promise.all(wanting.map((words) => project.run(...words)));
    for (const [index, { exitCode, stdout, stderr }] of results.entries()) {
      const said = `${wanting[index]!.join(" ")}: ${stdout}${stderr}`;
      expect(said).toContain(`the engine daemon (pid ${pid}) did`);
      expect(said).toContain("it is stopped");
      expect(said).toContain(`kill -CONT ${pid}`);
      expect(said).toContain("fastloop engine stop --force");
      expect(said).not.toContain("fastloop has a bug");
      expect(exitCode, said).toBe(3);
    }
  });

  it("is no matter to commands that need no engine", async () => {
    for (const words of [["plan"], ["functions"], ["validate"], ["graph"], ["engine", "logs"], ["call", "--help"]])
      expect(await project.run(...words)).toMatchObject({ exitCode: 0 });
  });

  it.each([
    ["call", "-v", "slow", "--seconds", "6"],
    ["run", "-v"],
    ["watch", "--json"],
    ["session", "--", "sleep", "12"],
  ])("is told by %s while a function or a program runs, and that it answers again: it goes on", async (...words) => {
    process.kill(pid, "SIGCONT");
    // What has run on the same content is not run again.
    project.watches(`slow --seconds ${words[0] === "watch" ? 7 : 6}`);
    const command = project.start("-v", ...words);
    await command.says(words[0] === "session" ? "engine: " : /begun\b/);
    process.kill(pid, "SIGSTOP");
    await command.says(`the engine daemon (pid ${pid}) does not answer: it is stopped`);
    process.kill(pid, "SIGCONT");
    await command.says("the engine daemon answers again");
    if (words[0] === "watch") {
      command.kill("SIGKILL");
      return void (await command.ended);
    }
    const { exitCode, stdout, stderr } = await command.ended;
    expect(exitCode, stdout + stderr).toBe(0);
  });

  it("is ended by `engine stop --force`, with all that it runs", async () => {
    const pids = [pid, project.pid("buildkitd")];
    process.kill(pid, "SIGSTOP");
    const { exitCode, stderr } = await project.run("engine", "stop", "--force");
    expect(stderr).toContain(`(pid ${pid}) does not answer: killed`);
    expect(exitCode).toBe(0);
    expectNothingLeft(pids);
    await ready();
  });
});

describe("a daemon that is killed", () => {
  it("is told to who calls, and the next command starts another that takes away what was left", async () => {
    await ready();
    const left = [project.pid("daemon"), project.pid("buildkitd")];
    const call = project.start("call", "-v", "slow");
    await call.says("begun");
    const mountedThen = mounts();
    // This buildkitd hears nothing of the daemon's end, as one that hangs.
    process.kill(left[1]!, "SIGSTOP");
    process.kill(left[0]!, "SIGKILL");
    expect(await call.ended).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining("the engine daemon is gone") as string,
    });
    writeFileSync(path.join(project.state, "tmp/left"), "");
    await ready();
    expect(left.filter(isThere)).toEqual([]);
    expect(existsSync(path.join(project.state, "tmp/left"))).toBe(false);
    expect(mounts().filter((line) => mountedThen.includes(line))).toEqual([]);
    expect(await project.run("engine", "stop")).toMatchObject({ exitCode: 0 });
    expectNothingLeft([]);
  });

  it("leaves nothing after `engine stop --force`, though nobody answers any more", async () => {
    await ready();
    const left = [project.pid("daemon"), project.pid("buildkitd")];
    process.kill(left[1]!, "SIGSTOP");
    process.kill(left[0]!, "SIGKILL");
    expect(await project.run("engine", "stop", "--force")).toMatchObject({ exitCode: 0 });
    expectNothingLeft(left);
  });
});

describe("a buildkitd that is killed", () => {
  const reason = "buildkitd ended by itself (signal SIGKILL)";

  it("is told as that to who calls; the daemon answers meanwhile, and the next call works", async () => {
    await stable();
    const call = project.start("call", "-v", "slow");
    await call.says("begun");
    process.kill(project.pid("buildkitd"), "SIGKILL");
    let sawRestart = false;
    while (!sawRestart) sawRestart = (await daemonStatus(project.state))?.buildkit.restarting === true;
    const { exitCode, stderr } = await call.ended;
    expect(exitCode).toBe(3);
    expect(stderr).toContain(reason);
    expect(stderr).not.toMatch(/gRPC|UNAVAILABLE|RST_STREAM|Connection dropped/);
    await ready();
    expect((await daemonStatus(project.state))?.buildkit).not.toHaveProperty("restarting");
  });

  it.each(["run", "watch"])("is told as that by %s, which runs the function again on the next one", async (command) => {
    await stable();
    project.watches("slow");
    const running = project.start(command, "-v", "--json");
    await running.says("begun");
    process.kill(project.pid("buildkitd"), "SIGKILL");
    await running.says(reason);
    await running.says(/begun[^]*it is run again on a new one[^]*begun/);
    running.kill("SIGINT");
    await running.ended;
  });
});

describe("what stands in the daemon's place", () => {
  /** Listens and is busy, deaf to SIGTERM. */
  const stuck = `
    process.on("SIGTERM", () => undefined);
    require("node:net").createServer().listen(process.argv[1], () => { console.log("up"); setTimeout(() => { for (;;); }, 100); });`;
  /** Listens, and says nothing or nonsense. */
  const odd = (says: string): string => `
    require("node:net").createServer((socket) => socket.on("error", () => undefined).write(${JSON.stringify(says)}))
      .listen(process.argv[1], () => console.log("up"));`;

  async function standIn(script: string): Promise<ChildProcess> {
    await project.run("engine", "stop", "--force");
    mkdirSync(project.state, { recursive: true, mode: 0o700 });
    const child = spawn(process.execPath, ["-e", script, path.join(project.state, "control.sock")], {
      stdio: ["ignore", "pipe", "inherit"],
      detached: true,
    });
    children.push(child);
    await once(createInterface({ input: child.stdout }), "line");
    return child;
  }

  it("is killed by force where it is the daemon, however busy", async () => {
    const child = await standIn(stuck);
    noteProcess(project.state, "daemon", child.pid!);
    expect((await project.run("engine", "status")).stderr).toContain(`the engine daemon (pid ${child.pid})`);
    expect(await project.run("engine", "stop", "--force")).toMatchObject({ exitCode: 0 });
    expect(isThere(child.pid!)).toBe(false);
    await ready();
  });

  it("is never killed where it is another process with the daemon's number", async () => {
    const child = await standIn(odd(""));
    const file = path.join(project.state, "daemon.pid");
    for (const mark of ["1@another-boot", "", "../../x"]) {
      writeFileSync(file, `${child.pid}\n${mark}\n`);
      const { stderr } = await project.run("engine", "stop", "--force");
      expect(stderr).not.toContain(String(child.pid));
      expect(isThere(child.pid!)).toBe(true);
    }
    // Its socket is out of the way.
    await ready();
  });

  it.each([
    ["nothing", "", /did not answer within/],
    ["no HTTP", "hello\n", /is not an engine daemon/],
    ["no JSON", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{x", /is not an engine daemon/],
    [
      "half an answer",
      "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{",
      /did not answer within|is not an engine daemon/,
    ],
  ])("is told where it says %s, and its socket goes by force", async (_what, says, words) => {
    await standIn(odd(says));
    for (const command of [
      ["engine", "status"],
      ["call", "-s", "quick"],
    ]) {
      const { exitCode, stderr } = await project.run(...command);
      expect(stderr).toMatch(words);
      expect(stderr).toContain("fastloop engine stop --force");
      expect(stderr).not.toContain("fastloop has a bug");
      expect(exitCode).toBe(3);
    }
    expect(await project.run("engine", "stop", "--force")).toMatchObject({ exitCode: 0 });
    await ready();
  });
});
