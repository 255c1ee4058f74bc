import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { createInterface } from "node:readline";
import path from "node:path";
import { build } from "esbuild";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openApiSession, type ApiResponse, type ApiSession } from "../../src/engine/embedded/api/index.ts";
import { connectBuildkit, type BuildkitClient } from "../../src/engine/embedded/buildkit/index.ts";
import type { EngineEvent } from "../../src/engine/types.ts";

/** What the product promises for anything that it leaves behind. */
const goneMs = 2_000;

const listener = "$s=IO::Socket::INET->new(LocalPort=>8080,Listen=>5,ReuseAddr=>1) or die; while($c=$s->accept){print $c qq(hello\\n);close $c}";
const perl = (unique: string, before = ""): string[] => ["perl", "-MIO::Socket", "-e", `# ${unique}\n$|=1;${before}${listener}`];

let buildkit: BuildkitClient;
let events: EngineEvent[] = [];
let sessions: ApiSession[] = [];
let unique = "";

async function open(env: Record<string, string> = {}): Promise<ApiSession> {
  const session = await openApiSession({
    buildkit,
    workdir: import.meta.dirname,
    shimDirectory: async (architecture) => path.join(process.env["FASTLOOP_TEST_SHIM"]!, architecture),
    hostTrust: async () => ({ environment: {} }),
    onEvent: (event) => events.push(event),
    env,
  });
  sessions.push(session);
  return session;
}

async function run(session: ApiSession, query: string, variables: Record<string, unknown> = {}, signal = new AbortController().signal): Promise<ApiResponse> {
  return await session.execute({ query, variables }, { signal });
}

async function serviceId(session: ApiSession, args: string[]): Promise<string> {
  const query = `query($args: [String!]) { container { from(address: "debian:bookworm-slim") { withExposedPort(port: 8080) { asService(args: $args) { id } } } } }`;
  const { data } = await run(session, query, { args });
  return (data as { container: { from: { withExposedPort: { asService: { id: string } } } } }).container.from.withExposedPort.asService.id;
}

const on = (id: string, selection: string): string => `{ node(id: ${JSON.stringify(id)}) { ... on Service { ${selection} } } }`;

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

  it("tell their output as logs of a step of their own, with secrets masked", async () => {
    const session = await open();
    const query = `query($args: [String!], $secret: ID!) { container { from(address: "debian:bookworm-slim") {
      withSecretVariable(name: "S", secret: $secret) { withExposedPort(port: 8080) { asService(args: $args) { start } } } } } }`;
    const made = await run(session, `{ setSecret(name: "s-${unique}", plaintext: "plain-${unique}") { id } }`);
    const secret = (made.data as { setSecret: { id: string } }).setSecret.id;
    expect((await run(session, query, { secret, args: perl(unique, "print qq(out $ENV{S}\\n);print STDERR qq(err $ENV{S}\\n);") })).errors).toBeUndefined();
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
      new RegExp(`^service \\w{13} did not accept connections on port 8080 within 1.5 s; its last output:\\nnot yet ${unique}$`),
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
    await build({ entryPoints: [source], outfile: script, bundle: true, platform: "node", format: "cjs", logLevel: "error" });
    const holder = spawn(process.execPath, [script, ...perl(unique)], { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = (await once(createInterface(holder.stdout), "line")) as [string];
    expect(line).toBe("started");
    expect(processesWith(unique)).not.toEqual([]);
    holder.kill("SIGKILL");
    await gone(unique);
    rmSync(folder, { recursive: true });
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
    expect(errors).toMatchObject([{ message: "exit code: 7", extensions: { _type: "EXEC_ERROR", exitCode: 7, stderr: "enough\n" } }]);
  });
});

function ask(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect(port, "127.0.0.1");
    socket.on("data", (data) => (text += data.toString("utf8")));
    socket.on("end", () => resolve(text));
    socket.on("error", reject);
  });
}
