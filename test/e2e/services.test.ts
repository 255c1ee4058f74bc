import { spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type AddressInfo, type Server } from "node:net";
import { tmpdir } from "node:os";
import { createInterface } from "node:readline";
import path from "node:path";
import { build } from "esbuild";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { ApiResponse, ApiSession } from "../../src/core-api/index.ts";
import { connectBuildkit, type BuildkitClient } from "../../src/buildkit/index.ts";
import type { EngineEvent } from "../../src/engine/types.ts";
import { openSessionOn } from "./api-session.ts";
import { cliFile, fastloop } from "./cli-process.ts";

/** What the product promises for anything that it leaves behind. */
const goneMs = 2_000;

const listener =
  "$s=IO::Socket::INET->new(LocalPort=>8080,Listen=>5,ReuseAddr=>1) or die; while($c=$s->accept){print $c qq(hello\\n);close $c}";
const perl = (unique: string, before = ""): string[] => [
  "perl",
  "-MIO::Socket",
  "-e",
  `# ${unique}\n$|=1;${before}${listener}`,
];
/** Says its own name instead. */
const saying = (unique: string, name: string): string[] => perl(unique).map((part) => part.replace("hello", name));

let buildkit: BuildkitClient;
let events: EngineEvent[] = [];
let sessions: ApiSession[] = [];
let unique = "";

async function open(env: Record<string, string> = {}): Promise<ApiSession> {
  const session = await openSessionOn(buildkit, {
    workdir: import.meta.dirname,
    onEvent: (event) => events.push(event),
    env,
  });
  sessions.push(session);
  return session;
}

async function run(
  session: ApiSession,
  query: string,
  variables: Record<string, unknown> = {},
  signal = new AbortController().signal,
): Promise<ApiResponse> {
  return await session.execute({ query, variables }, { signal });
}

async function serviceId(session: ApiSession, args: string[]): Promise<string> {
  const query = `query($args: [String!]) { container { from(address: "debian:bookworm-slim") { withExposedPort(port: 8080) { asService(args: $args) { id } } } } }`;
  const { data } = await run(session, query, { args });
  return (data as { container: { from: { withExposedPort: { asService: { id: string } } } } }).container.from
    .withExposedPort.asService.id;
}

const on = (id: string, selection: string): string =>
  `{ node(id: ${JSON.stringify(id)}) { ... on Service { ${selection} } } }`;

function bound(id: string, command: string): string {
  const exec = `withExec(args: ["bash", "-c", ${JSON.stringify(command)}]) { stdout }`;
  return `{ container { from(address: "debian:bookworm-slim") { withServiceBinding(alias: "web", service: ${JSON.stringify(id)}) { ${exec} } } } }`;
}

/** Processes of this machine, in containers or not, with a word in their command line; not our own. */
function processesWith(word: string): string[] {
  return readdirSync("/proc").filter((name) => {
    if (!/^\d+$/.test(name) || name === String(process.pid)) return false;
    try {
      const commandLine = readFileSync(`/proc/${name}/cmdline`, "utf8");
      return commandLine.includes(word) && commandLine.startsWith("perl");
    } catch {
      return false;
    }
  });
}

async function gone(word: string, timeoutMs = goneMs): Promise<void> {
  await vi.waitFor(() => expect(processesWith(word)).toEqual([]), { timeout: timeoutMs, interval: 20 });
}

function steps(): EngineEvent[] {
  return events.filter((event) => "step" in event && event.step.startsWith("service-"));
}

beforeEach(async () => {
  buildkit = await connectBuildkit(process.env["FASTLOOP_TEST_BUILDKIT"]!);
  events = [];
  sessions = [];
  unique = randomBytes(8).toString("hex");
});

afterEach(async () => {
  await Promise.all(sessions.map((session) => session.close()));
  await buildkit.close();
});

describe("services", () => {
  it("are not started for an exec whose result is cached", async () => {
    const first = await open();
    const answer = await run(first, bound(await serviceId(first, perl(unique)), "cat < /dev/tcp/web/8080"));
    expect(answer.errors).toBeUndefined();
    expect(steps()[0]).toMatchObject({ kind: "step-started" });
    await first.close();

    events = [];
    const second = await open();
    expect(await run(second, bound(await serviceId(second, perl(unique)), "cat < /dev/tcp/web/8080"))).toEqual(answer);
    expect(steps()).toEqual([]);
  });

  it("that are started and bound are in the hosts file of a command once", async () => {
    const session = await open();
    const id = await serviceId(session, perl(unique));
    const { data } = await run(session, on(id, "start hostname"));
    const { hostname } = (data as { node: { hostname: string } }).node;
    // An equal service, which is another object of the session.
    const answer = await run(session, bound(await serviceId(session, perl(unique)), `grep -c ${hostname} /etc/hosts`));
    expect(answer).toMatchObject({
      data: { container: { from: { withServiceBinding: { withExec: { stdout: "1\n" } } } } },
    });
  });

  it("tell their output as logs of a step of their own, with secrets masked", async () => {
    const session = await open();
    const query = `query($args: [String!], $secret: ID!) { container { from(address: "debian:bookworm-slim") {
      withSecretVariable(name: "S", secret: $secret) { withExposedPort(port: 8080) { asService(args: $args) { start } } } } } }`;
    const made = await run(session, `{ setSecret(name: "s-${unique}", plaintext: "plain-${unique}") { id } }`);
    const secret = (made.data as { setSecret: { id: string } }).setSecret.id;
    expect(
      (
        await run(session, query, {
          secret,
          args: perl(unique, "print qq(out $ENV{S}\\n);print STDERR qq(err $ENV{S}\\n);"),
        })
      ).errors,
    ).toBeUndefined();
    const logs = steps().flatMap((event) => (event.kind === "log" ? [`${event.stream}: ${event.text}`] : []));
    expect(logs.join("").split("\n").toSorted()).toEqual(["", "stderr: err ***", "stdout: out ***"]);
    await session.close();
    expect(steps().at(-1)).toMatchObject({ kind: "step-done", cached: false });
  });

  it("that never listen fail with their last lines", async () => {
    const session = await open({ FASTLOOP_SERVICE_TIMEOUT_MS: "1500" });
    const id = await serviceId(session, ["sh", "-c", `echo "not yet ${unique}"; exec sleep 1000`]);
    const { errors } = await run(session, on(id, "start"));
    expect((errors as { message: string }[])[0]!.message).toMatch(
      new RegExp(
        `^service \\w{13} did not accept connections on port 8080 within 1.5 s; its last output:\\nnot yet ${unique}$`,
      ),
    );
  });

  it("end when nobody has used them for the grace", async () => {
    const session = await open({ FASTLOOP_SERVICE_GRACE_MS: "0" });
    const id = await serviceId(session, perl(unique));
    expect((await run(session, bound(id, "cat < /dev/tcp/web/8080"))).errors).toBeUndefined();
    await gone(unique);
  });

  it("that were started by name stay without users", async () => {
    const session = await open({ FASTLOOP_SERVICE_GRACE_MS: "0" });
    const id = await serviceId(session, perl(unique));
    await run(session, on(id, "start"));
    await run(session, bound(id, "cat < /dev/tcp/web/8080"));
    expect(processesWith(unique)).not.toEqual([]);
    await run(session, on(id, "stop"));
    expect(processesWith(unique)).toEqual([]);
  });

  it("end with their session, also when they ignore SIGTERM", async () => {
    const session = await open();
    const id = await serviceId(session, perl(unique, "$SIG{TERM}='IGNORE';"));
    expect((await run(session, on(id, "start"))).errors).toBeUndefined();
    const startedAt = performance.now();
    await session.close();
    expect(processesWith(unique)).toEqual([]);
    expect(performance.now() - startedAt).toBeLessThan(goneMs);
  });

  it("end with a client that is killed", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "service-holder-"));
    const script = path.join(folder, "holder.cjs");
    const source = path.join(import.meta.dirname, "..", "fixtures", "service-holder.ts");
    await build({
      entryPoints: [source],
      outfile: script,
      bundle: true,
      platform: "node",
      format: "cjs",
      logLevel: "error",
    });
    const holder = spawn(process.execPath, [script, ...perl(unique)], { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = (await once(createInterface(holder.stdout), "line")) as [string];
    expect(line).toBe("started");
    expect(processesWith(unique)).not.toEqual([]);
    holder.kill("SIGKILL");
    await gone(unique);
    rmSync(folder, { recursive: true });
  });

  it("that ignore SIGTERM are gone two seconds after a stop, and sooner when it kills", async () => {
    const session = await open();
    const id = await serviceId(session, perl(unique, "$SIG{TERM}='IGNORE';"));
    const stoppedInMs = async (stop: string): Promise<number> => {
      expect((await run(session, on(id, "start"))).errors).toBeUndefined();
      expect(processesWith(unique)).not.toEqual([]);
      const startedAt = performance.now();
      expect((await run(session, on(id, stop))).errors).toBeUndefined();
      expect(processesWith(unique)).toEqual([]);
      return performance.now() - startedAt;
    };
    const politeMs = await stoppedInMs("stop");
    expect(politeMs).toBeLessThan(goneMs);
    expect(await stoppedInMs("stop(kill: true)")).toBeLessThan(politeMs);
  });

  it("on one container port run at once, each reached by its alias and on a host port of its own", async () => {
    const session = await open();
    const [one, two] = [
      await serviceId(session, saying(`one ${unique}`, "one")),
      await serviceId(session, saying(`two ${unique}`, "two")),
    ];
    const exec = `withExec(args: ["bash", "-c", "cat < /dev/tcp/a/8080; cat < /dev/tcp/b/8080"]) { stdout }`;
    const query = `query($one: ID!, $two: ID!) { container { from(address: "debian:bookworm-slim") {
      withServiceBinding(alias: "a", service: $one) { withServiceBinding(alias: "b", service: $two) { ${exec} } } } } }`;
    const { data, errors } = await run(session, query, { one, two });
    if ((await buildkit.info()).network === "host") {
      expect(errors).toMatchObject([{ message: expect.stringContaining("port 8080 is held by service") as string }]);
      return;
    }
    expect(data).toEqual({
      container: { from: { withServiceBinding: { withServiceBinding: { withExec: { stdout: "one\ntwo\n" } } } } },
    });
    expect(processesWith(unique)).toHaveLength(2);
    const answers = await Promise.all(
      [one, two].map(async (service) => {
        const tunnel = await run(session, `query($service: ID!) { host { tunnel(service: $service) { start } } }`, {
          service,
        });
        const started = (tunnel.data as { host: { tunnel: { start: string } } }).host.tunnel.start;
        const ports = await run(session, on(started, "ports { port }"));
        const [{ port }] = (ports.data as { node: { ports: [{ port: number }] } }).node.ports;
        return [await ask(port), port] as const;
      }),
    );
    expect(answers.map(([text]) => text)).toEqual(["one\n", "two\n"]);
    // With the session the tunnels end, not only what they lead to.
    await session.close();
    for (const [, port] of answers) await expect(ask(port)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  it("are given up with the request that starts them", async () => {
    const session = await open({ FASTLOOP_SERVICE_GRACE_MS: "0" });
    const id = await serviceId(session, perl(unique, "sleep 1000;"));
    const aborter = new AbortController();
    const starting = run(session, on(id, "start"), {}, aborter.signal);
    await vi.waitFor(() => expect(processesWith(unique)).not.toEqual([]), { timeout: 30_000 });
    aborter.abort();
    await starting;
    await run(session, on(id, "stop"));
    await gone(unique);
  });

  it("are served on the host until the request ends", async () => {
    const session = await open();
    const id = await serviceId(session, perl(unique));
    const aborter = new AbortController();
    const up = run(session, on(id, "up(random: true)"), {}, aborter.signal);
    const url = await vi.waitFor(
      () => {
        const notice = events.find((event) => event.kind === "notice" && event.text.includes("is up"));
        expect(notice).toBeDefined();
        return new URL(/http:\S+/.exec((notice as { text: string }).text)![0]);
      },
      { timeout: 30_000 },
    );
    expect(await ask(Number(url.port))).toBe("hello\n");
    aborter.abort();
    await up;
    await expect(ask(Number(url.port))).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  it("that end while they are served end the request, with their error", async () => {
    const session = await open();
    const id = await serviceId(session, perl(unique, "$SIG{ALRM}=sub{print STDERR qq(enough\\n);exit 7};alarm 1;"));
    const { errors } = await run(session, on(id, "up(random: true)"));
    expect(errors).toMatchObject([
      { message: "exit code: 7", extensions: { _type: "EXEC_ERROR", exitCode: 7, stderr: "enough\n" } },
    ]);
  });
});

const moduleSource = `
import { dag, func, object, type Service } from "@dagger.io/dagger"

@object()
export class Serving {
  @func()
  web(script: string): Service {
    return dag.container().from("debian:bookworm-slim").withExposedPort(8080).asService({ args: ["perl", "-MIO::Socket", "-e", script] })
  }
}
`;

describe("a service that a command serves on the host", () => {
  let project = "";
  let children: ChildProcess[] = [];

  beforeAll(() => {
    project = mkdtempSync(path.join(tmpdir(), "service-up-"));
    mkdirSync(path.join(project, "ci/src"), { recursive: true });
    writeFileSync(
      path.join(project, "dagger.json"),
      '{"name":"serving","engineVersion":"v0.21.4","sdk":"typescript","source":"ci"}',
    );
    writeFileSync(path.join(project, "ci/src/index.ts"), moduleSource);
  });
  afterEach(() => {
    for (const child of children) child.kill("SIGKILL");
    children = [];
  });
  afterAll(() => rmSync(project, { recursive: true }));

  const words = (port: number): string[] => [
    "call",
    "web",
    "--script",
    perl(unique).at(-1)!,
    "up",
    "--ports",
    `${port}:8080`,
  ];

  it.each([
    ["SIGINT", 130],
    ["SIGKILL", null],
  ] as const)(
    "answers on the port that was asked for; after %s port, container and runc are gone",
    async (signal, exitCode) => {
      const port = await freePort();
      const child = spawn(process.execPath, [cliFile, ...words(port)], {
        cwd: project,
        stdio: ["ignore", "ignore", "pipe"],
      });
      children.push(child);
      let told = "";
      child.stderr.on("data", (text: Buffer) => (told += text.toString()));
      await vi.waitFor(() => expect(told).toContain(`http://localhost:${port} -> 8080`), { timeout: 60_000 });
      expect(await ask(port)).toBe("hello\n");
      const [main] = processesWith(unique);
      const container = containerOf(main!);
      // The service, what leads the host's connections into it, and who runs both.
      expect(container.processes().length).toBeGreaterThanOrEqual(3);

      const ended = once(child, "close");
      child.kill(signal);
      expect((await ended)[0]).toBe(exitCode);
      await vi.waitFor(() => expect(container.processes()).toEqual([]), { timeout: goneMs, interval: 20 });
      await expect(ask(port)).rejects.toMatchObject({ code: "ECONNREFUSED" });
    },
  );

  it("on a port that is taken is an error that names it, and the service does not stay", async () => {
    const taken = createServer();
    const port = await listening(taken);
    const { exitCode, stdout, stderr } = await fastloop(words(port), { cwd: project });
    taken.close();
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr).toContain(`port ${port} of the host is in use; choose another one (--ports FRONTEND:BACKEND)`);
    await gone(unique);
  });
});

/** Processes of the container that a process is in, and those that run it. */
function containerOf(pid: string): { processes(): string[] } {
  const namespaceOf = (process: string): string => readlinkSync(`/proc/${process}/ns/mnt`);
  const commandOf = (process: string): string[] => readFileSync(`/proc/${process}/cmdline`, "utf8").split("\0");
  const parentOf = (process: string): string =>
    /^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${process}/status`, "utf8"))![1]!;
  const namespace = namespaceOf(pid);
  let runner = pid;
  while (namespaceOf(runner) === namespace) runner = parentOf(runner);
  // `runc run ... ID`; what is executed in the container later names it too.
  const id = commandOf(runner).findLast((word) => word !== "")!;
  expect(commandOf(runner).join(" ")).toContain("runc");
  return {
    processes: () =>
      readdirSync("/proc").filter((name) => {
        try {
          return /^\d+$/.test(name) && (namespaceOf(name) === namespace || commandOf(name).includes(id));
        } catch {
          return false;
        }
      }),
  };
}

function listening(server: Server): Promise<number> {
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port)));
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listening(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function ask(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect(port, "127.0.0.1");
    socket.on("data", (data) => (text += data.toString("utf8")));
    socket.on("end", () => resolve(text));
    socket.on("error", reject);
  });
}
