import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { remoteTerminal } from "../../src/engine/embedded/terminal.ts";
import { embeddedEngine, openSession, type RemoteTerminal } from "../../src/engine/index.ts";
import { fastloop } from "./cli-process.ts";
import { TerminalProcess } from "./terminal-process.ts";

const source = `
import { dag, Container, Directory, func, object, Service } from "@dagger.io/dagger"

const debian = () => dag.container().from("debian:bookworm-slim")

@object()
export class Shells {
  @func()
  base(): Container {
    const web = debian().asService({ args: ["sleep", "600"] })
    return debian().withWorkdir("/work").withNewFile("/work/note", "of the chain")
      .withEnvVariable("COLOUR", "green").withSecretVariable("TOKEN", dag.setSecret("token", "s3cr3t"))
      .withMountedCache("/cache", dag.cacheVolume("shells")).withUser("games").withServiceBinding("web", web)
  }

  @func()
  preset(): Container {
    return debian().withDefaultTerminalCmd(["sh", "-c", "echo preset with $(stty size)"])
  }

  @func()
  folder(): Directory {
    return dag.directory().withNewFile("inside", "")
  }

  @func()
  web(): Service {
    return debian().withEnvVariable("WHO", "web").asService({ args: ["sleep", "600"] })
  }

  /** Stops in the middle of its pipeline, as for debugging. */
  @func()
  debug(): Promise<string> {
    return debian().withNewFile("/note", "went on").terminal().withExec(["cat", "/note"]).stdout()
  }

  @func()
  async two(): Promise<string> {
    const open = (name: string) => debian().terminal({ cmd: ["sh", "-c", "echo first " + name + "; read key; echo last " + name] }).sync()
    await Promise.all([open("one"), open("two")])
    return "both"
  }
}
`;

let project = "";
const terminals: TerminalProcess[] = [];
beforeAll(() => {
  project = mkdtempSync(path.join(tmpdir(), "fastloop-terminal-"));
  for (const folder of [".git", "ci/src"]) mkdirSync(path.join(project, folder), { recursive: true });
  writeFileSync(
    path.join(project, "dagger.json"),
    '{"name":"shells","engineVersion":"v0.21.4","sdk":"typescript","source":"ci"}',
  );
  writeFileSync(path.join(project, "ci/src/index.ts"), source);
});
afterEach(async () => {
  for (const terminal of terminals.splice(0)) await terminal.remove();
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

function call(words: string): TerminalProcess {
  const terminal = new TerminalProcess(project, ["call", ...words.split(" ")]);
  terminals.push(terminal);
  return terminal;
}

const prompt = /fastloop \/\w* \$$/m;

/** Pids of the processes with exactly these words, in containers as well. */
function pidsOf(...words: string[]): number[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => read(`/proc/${pid}/cmdline`) === `${words.join("\0")}\0`);
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/** The CLI of this project that has the terminal. */
function cliPid(): number {
  const found = readdirSync("/proc").find(
    (entry) =>
      /^\d+$/.test(entry) &&
      /fastloop\.js\0call/.test(read(`/proc/${entry}/cmdline`)) &&
      read(`/proc/${entry}/environ`).includes(`PWD=${project}\0`),
  );
  return Number(found);
}

describe("a terminal in a container", () => {
  it("is a shell with all that a command would have, as large as the window; its exit code is told and the chain goes on", async () => {
    const terminal = call("base terminal file --path note contents");
    await terminal.shows(prompt);
    terminal.press("echo $(id -un) $COLOUR $TOKEN $(cat note); ls -d /cache; grep -c web /etc/hosts\n");
    // Keys that come before the prompt are echoed before it.
    await terminal.shows(/^games green s3cr3t of the chain\n\/cache\n1\nfastloop \/work \$$/m);
    // Nothing between the program and the window changes what it prints.
    expect(execFileSync("stty", ["-a", "-F", readlinkSync(`/proc/${cliPid()}/fd/0`)], { encoding: "utf8" })).toContain(
      "-opost",
    );
    terminal.press("stty size; tty\n");
    await terminal.shows(/^24 100\n\/dev\/pts\/0\nfastloop \/work \$$/m);
    terminal.resize(77, 20);
    terminal.press("until stty size | grep 20.77; do sleep 0.1; done\n");
    await terminal.shows(/^20 77\nfastloop \/work \$$/m);
    terminal.press("exit 3\n");
    await terminal.shows("bye");
    expect(await terminal.end()).toMatch(/^exit 3\nof the chain\nended with 0\nicanon\necho\nbye$/m);
  });

  it("gets Ctrl-C as its programs do, the CLI does not", async () => {
    const terminal = call("base terminal");
    await terminal.shows(prompt);
    terminal.press("sleep 86421\n");
    await expect.poll(() => pidsOf("sleep", "86421").length, { timeout: 120_000 }).toBe(1);
    terminal.press("\u0003");
    await terminal.shows(/\^C\n[^]*fastloop \/work \$$/);
    expect(pidsOf("sleep", "86421")).toEqual([]);
    terminal.press("echo code $?; exit\n");
    await terminal.shows(/^code 130\n[^]*ended with 0\nicanon\necho\nbye/m);
  });

  it("reaches a command that is no shell, too", async () => {
    const terminal = call("base terminal --cmd sleep,86422");
    await expect.poll(() => pidsOf("sleep", "86422").length, { timeout: 60_000 }).toBe(1);
    terminal.press("\u0003");
    await terminal.shows(/exit 130\n[^]*ended with 0\n/);
  });

  it("runs the container's own command for terminals unless told", async () => {
    const terminal = call("preset terminal");
    await terminal.shows(/^preset with 24 100\nexit 0$/m);
  });

  it("of a directory has it in /src, of a service runs beside it", async () => {
    const folder = call("folder terminal");
    await folder.shows(prompt);
    folder.press("pwd; ls; touch x\n");
    await folder.shows(/^\/src\ninside\n.*Read-only file system/m);
    folder.press("exit\n");
    await folder.shows("bye");
    const web = call("web terminal");
    await web.shows(prompt);
    web.press("echo $WHO; tr '\\0' ' ' < /proc/1/cmdline; exit\n");
    await web.shows(/^web\n.*sleep 600/m);
    await web.shows("bye");
    // A command that fails beside a service is no end of that.
    const twice = call("web terminal --cmd sh,-c,false terminal");
    await twice.shows(prompt);
    twice.press("echo $WHO again; exit\n");
    await twice.shows(/^web again$/m);
  });

  it("opens in the middle of a body, each time that it runs", async () => {
    for (let run = 0; run < 2; run++) {
      const terminal = call("debug");
      await terminal.shows(prompt);
      terminal.press("cat /note; rm /note; exit 1\n");
      await terminal.shows(/went on[^]*exit 1\n[^]*went on\nended with 0/);
    }
  });

  it("waits for the one before", async () => {
    const terminal = call("two");
    await terminal.shows(/first (one|two)/);
    terminal.press("\n");
    await terminal.shows(/first (one|two)[^]*last \1[^]*exit 0\n[^]*first (?!\1)/);
    terminal.press("\n");
    await terminal.shows(/both\nended with 0/);
  });
});

describe("where no terminal is attached", () => {
  it("a chain with one is refused before anything runs", async () => {
    const result = await fastloop(["call", "base", "terminal"], { cwd: project });
    expect(result).toEqual({
      exitCode: 2,
      stdout: "",
      stderr: "error: terminal: no terminal is attached\nhint: run `fastloop call` in one, without --json\n",
    });
  });

  it("a body is told", async () => {
    const result = await fastloop(["call", "debug"], { cwd: project });
    expect(result).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("no terminal is attached: run `fastloop call` in one"),
    });
  });
});

describe("a call that ends with its terminal open leaves no container, and the mode as it was", () => {
  it.each<[string, (terminal: TerminalProcess) => unknown]>([
    ["SIGTERM", () => process.kill(cliPid(), "SIGTERM")],
    ["SIGKILL", () => process.kill(cliPid(), "SIGKILL")],
    ["the window's end", (terminal) => terminal.hangUp()],
  ])("by %s", async (how, end) => {
    const terminal = call("base terminal");
    await terminal.shows(prompt);
    terminal.press("sleep 86423\n");
    await expect.poll(() => pidsOf("sleep", "86423").length, { timeout: 120_000 }).toBe(1);
    await end(terminal);
    await expect.poll(() => pidsOf("sleep", "86423"), { timeout: 120_000, interval: 50 }).toEqual([]);
    if (how === "SIGTERM") await terminal.shows(/ended with 130\nicanon\necho\nbye/);
  });
});

describe("a session with a terminal", () => {
  const sleeper = '{from(address:"debian:bookworm-slim"){FIELD}}';
  const sleep = (seconds: number): string => `terminal(cmd:["sleep","${seconds}"]){id}`;
  const size = { rows: 24, columns: 80 };

  it.each([
    ["in a container of its own", sleep(86_424)],
    ["beside a service", `asService(args:["sleep","600"]){${sleep(86_424)}}`],
  ])("ends the program %s when the query is given up, and goes on", async (_where, field) => {
    let offer = (_remote: RemoteTerminal): void => undefined;
    const offered = new Promise<RemoteTerminal>((resolve) => (offer = resolve));
    const session = await openSession({ workdir: project, engine: "embedded", onTerminal: (remote) => offer(remote) });
    try {
      const abort = new AbortController();
      const query = session.query(`{container${sleeper.replace("FIELD", field)}}`, {}, { signal: abort.signal });
      query.catch(() => undefined);
      const line = await (await offered).connect(size, () => undefined);
      await expect.poll(() => pidsOf("sleep", "86424").length, { timeout: 120_000 }).toBe(1);
      abort.abort();
      await expect(query).rejects.toThrow();
      await expect.poll(() => pidsOf("sleep", "86424"), { timeout: 120_000, interval: 50 }).toEqual([]);
      expect(await line.ended).toBeUndefined();
      expect(await session.query("{version}")).toBeDefined();
    } finally {
      await session.close();
    }
  });

  it("gives it to nobody with the token of bodies", async () => {
    const session = await openSession({ workdir: project, engine: "embedded", onTerminal: () => undefined });
    try {
      const { stateDir } = await embeddedEngine();
      const remote = remoteTerminal(stateDir, session.body.token, { kind: "terminal", id: "any", name: "sh" });
      await expect(remote.connect(size, () => undefined)).rejects.toThrow("no longer wanted");
    } finally {
      await session.close();
    }
  });
});
