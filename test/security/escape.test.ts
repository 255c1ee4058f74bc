import { execFileSync, spawn, spawnSync, type ChildProcess } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import dgram from "node:dgram";
import net, { type AddressInfo } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { confineProgram } from "../../src/module/index.ts";

const here = import.meta.dirname;
const confine = process.platform === "linux" ? confineProgram() : undefined;
const go = ["go", "/usr/local/go/bin/go"].find((name) => spawnSync(name, ["version"]).status === 0);
const isRoot = process.getuid?.() === 0;
/** Nobody's number: it has no home, no groups, no rights. */
const ordinary = 54_321;

/** The machine that must not be reached, and what was reached of it. */
let folder = "";
let victim: ChildProcess;
const servers: (net.Server | dgram.Socket)[] = [];
const reached: string[] = [];
let world: Record<string, unknown> & { Session: number };

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "fastloop-escape-"));
  chmodSync(folder, 0o755);
  const [home, module] = [path.join(folder, "home"), path.join(folder, "module")];
  for (const place of [home, path.join(module, ".git"), path.join(module, ".fastloop")])
    mkdirSync(place, { recursive: true });
  for (const [file, text] of Object.entries({
    [`${home}/secret.txt`]: "of-the-user",
    [`${module}/data.txt`]: "data",
    [`${module}/.git/config`]: "of-the-user",
    [`${module}/.fastloop/record`]: "of-the-user",
  })) {
    writeFileSync(file, text);
    chmodSync(file, 0o666);
  }
  symlinkSync(home, path.join(module, "link-out"));
  writeFileSync(path.join(module, "attempts.mjs"), readFileSync(path.join(here, "attempts.mjs")));
  if (go !== undefined)
    execFileSync(go, ["build", "-o", path.join(module, "syscalls"), "."], {
      cwd: path.join(here, "syscalls"),
      env: { ...process.env, CGO_ENABLED: "0", GOFLAGS: "-mod=readonly" },
    });
  // The user's process may be anybody's: an ordinary user has no right to a process of root's.
  victim = spawn("sleep", ["600"], { stdio: "ignore", env: { ESCAPE: "of-the-user" } });
  const listen = (what: string, ...where: unknown[]): Promise<net.Server> =>
    new Promise((resolve) => {
      const server = net.createServer((connection) => {
        reached.push(what);
        connection.destroy();
      });
      servers.push(server);
      (server.listen as (...given: unknown[]) => void).call(server, ...where, () => resolve(server));
    });
  const port = ((await listen("a service", 0, "0.0.0.0")).address() as AddressInfo).port;
  await listen("a service by IPv6", { port, host: "::1" }).catch(() => undefined);
  const socket = path.join(home, "daemon.sock");
  await listen("a unix socket", socket);
  chmodSync(socket, 0o777);
  const abstract = `fastloop-escape-${process.pid}`;
  await listen("an abstract socket", `\0${abstract}`);
  const datagrams = dgram.createSocket("udp4", () => void reached.push("a datagram"));
  servers.push(datagrams);
  await new Promise<void>((resolve) => datagrams.bind(port, "0.0.0.0", resolve));
  const session = net.createServer((connection) => connection.on("error", () => undefined).end());
  servers.push(session);
  await new Promise<void>((resolve) => session.listen(0, "127.0.0.1", resolve));
  const addresses = Object.values(networkInterfaces())
    .flat()
    .filter((entry) => entry !== undefined && !entry.internal && entry.family === "IPv4")
    .map((entry) => entry?.address)
    .slice(0, 3);
  world = {
    home,
    module,
    secret: `${home}/secret.txt`,
    Secret: `${home}/secret.txt`,
    socket,
    abstract,
    port,
    Port: port,
    Session: (session.address() as AddressInfo).port,
    victim: victim.pid,
    addresses,
  };
});

afterAll(() => {
  victim.kill("SIGKILL");
  for (const server of servers) server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs a program behind the boundary, as this user or as an ordinary one, and gives what it prints. */
async function behind(command: string[], asUser: boolean): Promise<Record<string, string>> {
  const program = path.join(folder, asUser ? "confine-user" : "confine-own");
  writeFileSync(program, readFileSync(confine!), { mode: 0o755 });
  chmodSync(program, 0o755);
  const module = path.join(folder, "module");
  const spec = JSON.stringify({
    Command: command,
    Folder: module,
    Visible: [module],
    Hidden: [`${module}/.git`, `${module}/.fastloop`],
    Allowed: [],
    Parent: process.pid,
  });
  const identity = asUser ? { uid: ordinary, gid: ordinary } : {};
  const child = spawn(program, [spec], {
    ...identity,
    cwd: "/",
    stdio: ["ignore", "pipe", "inherit", "pipe", "pipe"],
    env: { PATH: "/usr/bin" },
  });
  const control = child.stdio[4] as net.Socket;
  let [text, said] = ["", ""];
  control.setEncoding("utf8").on("data", (piece: string) => (said += piece));
  child.stdout?.setEncoding("utf8").on("data", (piece: string) => (text += piece));
  control.write(`allow 127.0.0.1:${world.Session}\n`);
  const code = await new Promise((resolve) => child.once("close", resolve));
  expect({ code, said }).toEqual({ code: 0, said: expect.stringContaining("started") });
  return JSON.parse(text) as Record<string, string>;
}

const users = [
  ["the one who runs the tests", false],
  ...(isRoot ? ([["an ordinary user", true]] as const) : []),
] as const;

describe.skipIf(confine === undefined).each(users)("a program behind the boundary, of %s", (_who, asUser) => {
  it("reaches nothing of the machine with Node", async () => {
    if (asUser) chownSync(path.join(folder, "module/data.txt"), ordinary, ordinary);
    const told = await behind(
      [process.execPath, path.join(folder, "module/attempts.mjs"), JSON.stringify(world)],
      asUser,
    );
    expect(Object.keys(told).length).toBeGreaterThan(80);
    expect(Object.entries(told).filter(([, outcome]) => outcome === "reached")).toEqual([]);
  });

  it.skipIf(go === undefined)("reaches nothing of the machine with system calls of its own", async () => {
    const told = await behind([path.join(folder, "module/syscalls"), JSON.stringify(world)], asUser);
    expect(Object.keys(told).length).toBeGreaterThan(80);
    expect(Object.entries(told).filter(([, outcome]) => outcome === "reached")).toEqual([]);
  });

  it("left nothing behind, and nobody heard of it", () => {
    expect(reached).toEqual([]);
    expect(victim.exitCode ?? victim.signalCode).toBeNull();
    expect(readFileSync(path.join(folder, "module/data.txt"), "utf8")).toBe("data");
    expect(readdirSync(path.join(folder, "home")).sort()).toEqual(["daemon.sock", "secret.txt"]);
    expect([existsSync("/made"), existsSync("/usr/lib/made"), existsSync(path.join(folder, "module/made"))]).toEqual([
      false,
      false,
      false,
    ]);
  });

  it("has what it needs: its files, a folder for temporary ones, the session, names and threads", async () => {
    const code = `
      import fs from "node:fs"; import net from "node:net"; import { Worker } from "node:worker_threads"; import dns from "node:dns";
      fs.writeFileSync("/tmp/own", "written");
      const session = await new Promise((resolve, reject) => net.connect(${world.Session}, "127.0.0.1").once("connect", () => resolve("connected")).once("error", reject));
      const thread = await new Promise((resolve, reject) => new Worker("import('node:worker_threads').then(({ parentPort }) => parentPort.postMessage('ran'))", { eval: true }).once("message", resolve).once("error", reject));
      const { address } = await dns.promises.lookup("localhost", 4);
      console.log(JSON.stringify({ file: fs.readFileSync("data.txt", "utf8"), own: fs.readFileSync("/tmp/own", "utf8"), session, thread, address, user: String(process.getuid()) }));
      process.exit(0);`;
    expect(await behind([process.execPath, "--input-type=module", "-e", code], asUser)).toEqual({
      file: "data",
      own: "written",
      session: "connected",
      thread: "ran",
      address: "127.0.0.1",
      user: "1000",
    });
  });
});

describe.skipIf(confine === undefined)("a program behind the boundary", () => {
  it("ends with whoever started it, also when that is killed and the program never looks up", async () => {
    const module = path.join(folder, "module");
    const mark = `fastloop-endless-${process.pid}`;
    const starter = `
      const { spawn } = require("node:child_process");
      const spec = { Command: [process.execPath, "-e", "while (true) {} // ${mark}"], Folder: ${JSON.stringify(module)}, Visible: [${JSON.stringify(module)}], Hidden: [], Allowed: [], Parent: process.pid };
      const child = spawn(${JSON.stringify(confine)}, [JSON.stringify(spec)], { stdio: ["ignore", "ignore", "inherit", "pipe", "pipe"] });
      child.stdio[4].setEncoding("utf8").on("data", (text) => process.stdout.write(text));`;
    const parent = spawn(process.execPath, ["-e", starter], { stdio: ["ignore", "pipe", "inherit"] });
    await new Promise((resolve) => parent.stdout.once("data", resolve));
    const running = (): number[] =>
      readdirSync("/proc")
        .filter((name) => /^\d+$/.test(name))
        .map(Number)
        .filter((pid) => pid !== parent.pid && isNamed(pid, mark));
    expect(running().length).toBeGreaterThan(0);
    parent.kill("SIGKILL");
    await expect.poll(running, { timeout: 30_000 }).toEqual([]);
  });
});

function isNamed(pid: number, mark: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(mark);
  } catch {
    return false;
  }
}
