/** A secret given to functions that throw, print, return and pass it on: it is in nothing that is kept or told. */
import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cacheHome, packageRoot } from "../../src/paths/index.ts";
import { toolsDir } from "../../src/engine-daemon/index.ts";
import { fastloop, cliFile, type CliResult } from "../e2e/cli-process.ts";

const source = `
import { dag, func, object, type Secret } from "@dagger.io/dagger"
@object()
export class Ci {
  @func({ cache: "never" }) async thrown(token: Secret): Promise<string> { throw new Error("cannot log in with " + (await token.plaintext())) }
  @func({ cache: "never" }) async printed(token: Secret): Promise<string> {
    const text = await token.plaintext()
    for (const piece of text.match(/.{1,3}/gs) ?? []) process.stdout.write(piece)
    console.error(JSON.stringify({ text }), Buffer.from("user:" + text).toString("base64"), encodeURIComponent(text))
    return "done"
  }
  @func({ cache: "never" }) async returned(token: Secret): Promise<string[]> { const text = await token.plaintext(); return [text, Buffer.from(text).toString("base64")] }
  @func() async kept(token: Secret): Promise<string> { return Buffer.from("user:" + (await token.plaintext())).toString("base64") }
  @func({ cache: "never" }) async argument(token: Secret): Promise<string> {
    return this.box().withExec(["sh", "-c", "exit 3", await token.plaintext()]).stdout()
  }
  @func({ cache: "never" }) async long(token: Secret): Promise<string> {
    return this.box().withExec(["sh", "-c", "exit 3", "x".repeat(170) + (await token.plaintext())]).stdout()
  }
  @func({ cache: "never" }) async absent(token: Secret): Promise<string> { return this.box().withExec([await token.plaintext()]).stdout() }
  @func({ cache: "never" }) async slow(token: Secret): Promise<string> {
    return this.box().withSecretVariable("T", token).withExec(["sleep", "20"]).stdout()
  }
  @func({ cache: "never" }) async encoded(token: Secret): Promise<string> {
    const script = 'echo "$T" | sed "s/^/line: /"; printf %s "$T" | base64; printf "u:%s" "$T" | base64 -w0; echo; printf %s "$T" | od -An -v -tx1 | tr -d " \\\\n"; echo; printf "%.5s" "$T"; sleep 0.05; printf %s "$T" | tail -c +6'
    return this.box().withSecretVariable("T", token).withExec(["sh", "-c", script]).stdout()
  }
  private box() { return dag.container().from("debian:bookworm-slim").withEnvVariable("N", String(Date.now())) }
}
`;
const names = ["thrown", "printed", "returned", "argument", "long", "absent", "encoded"];
const unique = randomBytes(9).toString("hex");
const token = `sekrit "${unique}" & /value`;
/** What must be nowhere: the secret's own part, as it is and encoded. */
const forms = [
  unique,
  Buffer.from(unique).toString("hex"),
  ...[0, 1, 2].map((before) =>
    Buffer.from(`${"x".repeat(before)}${unique}`)
      .toString("base64")
      .slice(before === 0 ? 0 : 4, -4),
  ),
];
const found = (text: string): string[] => forms.filter((form) => text.includes(form));

let project = "";
beforeAll(() => {
  project = mkdtempSync(path.join(tmpdir(), "fastloop-secrets-"));
  mkdirSync(path.join(project, "ci/src"), { recursive: true });
  writeFileSync(
    path.join(project, "dagger.json"),
    JSON.stringify({ name: "ci", engineVersion: "v0.21.4", sdk: "typescript", source: "ci" }),
  );
  writeFileSync(path.join(project, "ci/src/index.ts"), source);
  const targets = names.map((name) => `    ${name}: { call: "${name} --token env://TOKEN_OF_USER" }`);
  writeFileSync(path.join(project, "fastloop.yaml"), `version: 1\nwatch:\n  targets:\n${targets.join("\n")}\n`);
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

const run = (words: string[], value = token, env: NodeJS.ProcessEnv = {}): Promise<CliResult> =>
  fastloop(words, { cwd: project, env: { TOKEN_OF_USER: value, ...env } });
const state = (): string => process.env["XDG_STATE_HOME"]!;
/** Files below a folder that have a form of the secret in them. */
function holding(folder: string): string {
  return spawnSync("grep", ["-rlaFs", "-D", "skip", ...forms.flatMap((form) => ["-e", form]), folder], {
    encoding: "utf8",
  }).stdout;
}

describe("a secret", () => {
  it("is in no output, log or record of a run, however the function fails with it", async () => {
    const sent: string[] = [];
    const collector = createServer((request, response) => {
      const pieces: Buffer[] = [];
      request.on("data", (piece: Buffer) => pieces.push(piece));
      request.on("end", () => response.end(void sent.push(Buffer.concat(pieces).toString("latin1"))));
    });
    await new Promise<void>((resolve) => collector.listen(0, "127.0.0.1", resolve));
    const { port } = collector.address() as AddressInfo;
    for (const [format, protocol] of [
      [["run", "--trust"], "http/json"],
      [["run", "--trust", "--json"], "http/protobuf"],
      [["run", "--trust", "-v"], "http/json"],
    ] as const) {
      const { stdout, stderr, exitCode } = await run([...format], token, {
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
        OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
      });
      expect([exitCode, found(stdout), found(stderr)], format.join(" ")).toEqual([1, [], []]);
      expect(stdout).toContain("cannot log in with ***");
    }
    expect(readdirSync(path.join(project, ".fastloop/runs")).length).toBeGreaterThan(names.length);
    expect(holding(path.join(project, ".fastloop"))).toBe("");
    // Spans go to a collector, which is another machine.
    expect(sent).toHaveLength(3);
    for (const text of sent) {
      // What passed needs no second run.
      for (const name of ["thrown", "argument"]) expect(text).toContain(name);
      expect(text).toContain("***");
      expect(found(text)).toEqual([]);
    }
    collector.close();
  });

  it("is in nothing that a call tells, and its result is kept nowhere", async () => {
    for (const name of ["thrown", "printed", "argument", "long", "absent"]) {
      const { stdout, stderr } = await run(["call", "-v", name, "--token", "env://TOKEN_OF_USER"]);
      expect([found(stdout), found(stderr), stderr.includes("***")], name).toEqual([[], [], true]);
      const json = await run(["call", "--json", name, "--token", "env://TOKEN_OF_USER"]);
      expect([found(json.stdout), found(json.stderr)], name).toEqual([[], []]);
    }
    // What a function gives away is the user's to see.
    const { stdout } = await run(["call", "-s", "kept", "--token", "env://TOKEN_OF_USER"]);
    expect(Buffer.from(stdout, "base64").toString()).toBe(`user:${token}`);
    expect(holding(path.join(project, ".fastloop"))).toBe("");
  });

  it("is masked by its lines and encodings in a command's result, across its writes", async () => {
    const key = `-----BEGIN ${unique}-----\nlineone${unique}\nlinetwo${unique}\n-----END-----`;
    for (const value of [token, key]) {
      const { stdout, stderr, exitCode } = await run(
        ["call", "-v", "encoded", "--token", "env://TOKEN_OF_USER"],
        value,
      );
      expect([exitCode, found(stdout), found(stderr)], stdout).toEqual([0, [], []]);
      expect(stdout.match(/^line: .*$/gm)).toEqual(value.split("\n").map(() => "line: ***"));
    }
  });

  it("of fewer than four characters is left, and told", async () => {
    const { stdout, stderr, exitCode } = await run(["call", "encoded", "--token", "env://TOKEN_OF_USER"], "e");
    expect(exitCode).toBe(0);
    expect(stdout).toContain("line: e\n");
    expect(stderr).toContain("the secret env://TOKEN_OF_USER has fewer than four characters: too short to mask");
  });

  it("is in no file of the engine, its log included, and in no temporary one", async () => {
    expect(readFileSync(path.join(state(), "fastloop/engine/engine.log"), "utf8")).toContain("did not complete");
    // What a failed command wrote goes when BuildKit next collects what nobody holds any more.
    await expect.poll(() => holding(state()), { timeout: 60_000, interval: 1000 }).toBe("");
    for (const name of readdirSync(tmpdir()).filter((each) => each.startsWith("fastloop-api-")))
      expect(holding(path.join(tmpdir(), name))).toBe("");
  });

  it("is in no process's arguments while a command has it, and in the environment of none but the user's own and the command's", async () => {
    const child = spawn(process.execPath, [cliFile, "call", "-s", "slow", "--token", "env://TOKEN_OF_USER"], {
      cwd: project,
      env: { ...process.env, TOKEN_OF_USER: token },
      stdio: "ignore",
    });
    const holders = (file: string): string[] =>
      readdirSync("/proc")
        .filter((pid) => /^\d+$/.test(pid))
        .filter((pid) => found(readProc(`/proc/${pid}/${file}`)).length > 0)
        .map((pid) => readProc(`/proc/${pid}/cmdline`).split("\0").join(" "));
    try {
      await expect
        .poll(() => holders("environ").some((line) => line.includes("sleep 20")), { timeout: 120_000, interval: 200 })
        .toBe(true);
      expect(holders("cmdline")).toEqual([]);
      for (const line of holders("environ")) expect(line).toMatch(/sleep 20|fastloop\.js call/);
    } finally {
      child.kill("SIGINT");
      await new Promise((resolve) => child.once("exit", resolve));
    }
  });
});

function readProc(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return "";
  }
}

describe("an engine of one's own", () => {
  let folder = "";
  let env: NodeJS.ProcessEnv = {};
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), "fastloop-own-"));
    const cache = path.join(folder, "cache/fastloop");
    mkdirSync(cache, { recursive: true });
    for (const name of readdirSync(cacheHome()).filter((each) => each !== "tools"))
      symlinkSync(path.join(cacheHome(), name), path.join(cache, name));
    const tools = toolsDir(packageRoot());
    cpSync(tools, path.join(cache, path.relative(cacheHome(), tools)), { recursive: true });
    env = {
      XDG_STATE_HOME: path.join(folder, "state"),
      XDG_CACHE_HOME: path.join(folder, "cache"),
      AWS_SECRET_ACCESS_KEY: unique,
      TOKEN_OF_USER: token,
    };
  });
  afterAll(async () => {
    await run(["engine", "stop", "--force"], token, env);
    rmSync(folder, { recursive: true, force: true });
  });

  it("has daemons with nothing of the environment but what is on the list", async () => {
    const { stdout, exitCode } = await run(["engine", "start", "--json"], token, env);
    expect(exitCode).toBe(0);
    const status = JSON.parse(stdout) as { pid: number; buildkit: { pid: number }; registry?: { pid: number } };
    for (const pid of [
      status.pid,
      status.buildkit.pid,
      ...(status.registry === undefined ? [] : [status.registry.pid]),
    ]) {
      const environment = readProc(`/proc/${pid}/environ`);
      expect(environment).toContain("PATH=/");
      expect(environment).not.toMatch(/AWS_|TOKEN_OF_USER|FASTLOOP_TEST/);
      expect(found(environment)).toEqual([]);
    }
  });

  it("does not start a buildkitd that was changed since it was built", async () => {
    expect((await run(["engine", "stop", "--force"], token, env)).exitCode).toBe(0);
    const buildkitd = path.join(
      folder,
      "cache/fastloop",
      path.relative(cacheHome(), toolsDir(packageRoot())),
      "buildkitd",
    );
    expect(existsSync(buildkitd)).toBe(true);
    appendFileSync(buildkitd, "\n");
    const { exitCode, stderr } = await run(["engine", "start"], token, env);
    expect(exitCode).toBe(3);
    expect(stderr).toBe(
      "error: the embedded engine can't start: buildkitd is not run: it is not what set-up built, it was changed since\nhint: `fastloop setup` rebuilds it\n",
    );
  });
});
