import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { hostname, networkInterfaces, tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { projectIdentity } from "../../src/engine/embedded/project-identity.ts";
import { fastloop, type CliResult } from "../e2e/cli-process.ts";

const moduleSource = `
import { dag, func, object, Service } from "@dagger.io/dagger"

const base = () => dag.container().from("debian:bookworm-slim").withEnvVariable("N", String(Date.now()))

@object()
export class Ci {
  @func({ cache: "never" })
  http(url: string): Promise<string> {
    return dag.http(url).contents()
  }

  @func({ cache: "never" })
  git(url: string): Promise<string[]> {
    return dag.git(url).commit("0".repeat(40)).tree().entries()
  }

  @func({ cache: "never" })
  branches(url: string): Promise<string[]> {
    return dag.git(url).branches()
  }

  @func({ cache: "never" })
  dockerfile(text: string, namespace: string = ""): Promise<string> {
    const buildArgs = namespace === "" ? [] : [{ name: "BUILDKIT_CACHE_MOUNT_NS", value: namespace }]
    return dag.directory().withNewFile("Dockerfile", text.replaceAll("|", "\\n").replace("NOW", String(Date.now()))).dockerBuild({ buildArgs }).file("/o").contents()
  }

  @func({ cache: "never" })
  tries(script: string, service?: Service): Promise<string> {
    return (service ? base().withServiceBinding("given", service) : base()).withExec(["bash", "-c", script]).stdout()
  }

  @func({ cache: "never" })
  insecure(): Promise<string> {
    return base().withExec(["sh", "-c", "sed -n 's/CapEff:.//p' /proc/self/status"], { insecureRootCapabilities: true }).stdout()
  }

  @func({ cache: "never" })
  async insecureService(): Promise<string> {
    return typeof (await base().withExposedPort(1).asService({ args: ["sleep", "9"], insecureRootCapabilities: true }).id())
  }

  @func({ cache: "never" })
  async insecureTerminal(): Promise<string> {
    return typeof (await base().withDefaultTerminalCmd(["sh"], { insecureRootCapabilities: true }).id())
  }

  @func({ cache: "never" })
  volume(write: string = ""): Promise<string> {
    const script = write === "" ? "cat /c/x 2>/dev/null || echo empty" : "echo " + write + " > /c/x; echo written"
    return base().withMountedCache("/c", dag.cacheVolume("npm")).withExec(["sh", "-c", script]).stdout()
  }
}
`;

const folder = mkdtempSync(path.join(tmpdir(), "fastloop-reach-"));
const project = path.join(folder, "one");
const engineState = path.join(process.env["XDG_STATE_HOME"] ?? "", "fastloop/engine");
/** Without CNI's plugins containers share the host's network, and nothing keeps them off it: docs/security.md. */
const isIsolated = existsSync(path.join(engineState, "network.conflist"));

const capSysAdmin = 21n;

let requests: string[] = [];
let server: http.Server;
let port = 0;
beforeAll(async () => {
  mkdirSync(path.join(project, "ci/src"), { recursive: true });
  mkdirSync(path.join(project, ".git"));
  writeFileSync(
    path.join(project, "dagger.json"),
    '{"name":"ci","engineVersion":"v0.21.4","sdk":"typescript","source":"ci"}',
  );
  writeFileSync(path.join(project, "ci/src/index.ts"), moduleSource);
  server = http.createServer((request, response) => {
    requests.push(request.url ?? "");
    response.end("of the user's own server");
  });
  await new Promise<void>((resolve) => server.listen(0, "::", resolve));
  port = (server.address() as AddressInfo).port;
});
beforeEach(() => {
  requests = [];
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});
const call = (words: string[], env: NodeJS.ProcessEnv = {}, cwd = project): Promise<CliResult> =>
  fastloop(["call", ...words], { cwd, env });

/** Says of each HOST:PORT whether a container connects to it; GATEWAY is its own. */
const triesOf = (targets: readonly string[]): string => `
G=$(awk '$2=="00000000"{print $3; exit}' /proc/net/route)
GATEWAY=$(printf '%d.%d.%d.%d' 0x\${G:6:2} 0x\${G:4:2} 0x\${G:2:2} 0x\${G:0:2})
for t in ${targets.join(" ")}; do t=\${t/GATEWAY/$GATEWAY}
(timeout 3 bash -c "exec 3<>/dev/tcp/\${t%:*}/\${t##*:}" 2>/dev/null && echo "reached $t") || echo "not $t"; done`;

const own = Object.values(networkInterfaces())
  .flatMap((list) => list ?? [])
  .find(({ family, internal }) => family === "IPv4" && !internal)?.address;
const names = [
  "127.0.0.1",
  "localhost",
  "127.9.9.9",
  "0.0.0.0",
  "[::1]",
  "[::ffff:127.0.0.1]",
  "2130706433",
  "0x7f.1",
  hostname(),
  ...(own === undefined ? [] : [own]),
];

describe("a function body", () => {
  it.each(names)("does not reach this machine as %s by dag.http", async (name) => {
    const { exitCode, stderr } = await call(["http", "--url", `http://${name}:${port}/secret`]);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: expect.stringContaining("is this machine, which dag.http and dag.git do not reach"),
    });
    expect(requests).toEqual([]);
  });

  it("does not reach it, or repositories with the user's keys, by dag.git", async () => {
    const told = async (...words: string[]): Promise<string> => (await call(words)).stderr;
    for (const name of ["git", "branches"]) {
      expect(await told(name, "--url", `http://127.0.0.1:${port}/r.git`)).toContain("is this machine");
      expect(await told(name, "--url", `git://127.0.0.1:${port}/r.git`)).toContain(
        "git:// is not served to function bodies",
      );
      for (const url of ["ssh://git@localhost/r", "git@localhost:r"])
        expect(await told(name, "--url", url)).toContain("ssh would use your keys");
    }
    expect(requests).toEqual([]);
  });

  it("does not reach it by what a Dockerfile adds", async () => {
    for (const add of [
      `ADD http://127.0.0.1:${port}/x /o`,
      `ADD http://localhost:${port}/x.git#main /o`,
      `ADD git://127.0.0.1:${port}/x.git /o`,
    ]) {
      const { exitCode, stderr } = await call(["dockerfile", "--text", `FROM debian:bookworm-slim|${add}`]);
      expect({ exitCode, stderr }, add).toEqual({
        exitCode: 1,
        stderr: expect.stringMatching(/is this machine|git:\/\/ is not served/),
      });
    }
    expect(requests).toEqual([]);
  });

  it("is given no program that a Dockerfile names as its syntax", async () => {
    const text = "# syntax=registry.invalid/evil:latest|FROM debian:bookworm-slim|RUN echo plain > /o";
    expect(await call(["dockerfile", "--text", text])).toMatchObject({ exitCode: 0, stdout: "plain\n" });
  });

  it.runIf(isIsolated)("reaches this machine from no container, unless a service is passed", async () => {
    const targets = ["127.0.0.1", "GATEWAY", ...(own === undefined ? [] : [own])].map((host) => `${host}:${port}`);
    const none = await call(["tries", "--script", triesOf(targets)]);
    expect(none, none.stderr).toMatchObject({ exitCode: 0 });
    expect(
      none.stdout
        .trim()
        .split("\n")
        .map((line) => line.split(" ")[0]),
    ).toEqual(targets.map(() => "not"));
    const given = await call([
      "tries",
      "--script",
      triesOf([`given:${port}`, ...targets]),
      "--service",
      `tcp://127.0.0.1:${port}`,
    ]);
    expect(
      given.stdout
        .trim()
        .split("\n")
        .map((line) => line.split(" ")[0]),
    ).toEqual(["reached", ...targets.map(() => "not")]);
  });

  it("has root capabilities only by the user's own word", async () => {
    for (const name of ["insecure", "insecure-service", "insecure-terminal"]) {
      expect(await call([name])).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining("insecureRootCapabilities is off: such a container is root on this machine"),
      });
    }
    const { stdout } = await call(["insecure"], { FASTLOOP_ROOT_CAPABILITIES: "1" });
    expect((BigInt(`0x${stdout.trim()}`) >> capSysAdmin) & 1n).toBe(1n);
    const config = path.join(folder, "config");
    mkdirSync(path.join(config, "fastloop"), { recursive: true });
    writeFileSync(path.join(config, "fastloop/config.yaml"), "rootCapabilities: true\n");
    expect(await call(["insecure"], { XDG_CONFIG_HOME: config })).toMatchObject({ exitCode: 0 });
    expect(await call(["insecure"], { XDG_CONFIG_HOME: config, FASTLOOP_ROOT_CAPABILITIES: "0" })).toMatchObject({
      exitCode: 1,
    });
    writeFileSync(path.join(config, "fastloop/config.yaml"), "rootCapabilities: [yes]\n");
    expect(await call(["insecure"], { XDG_CONFIG_HOME: config })).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("config.yaml: is not valid"),
    });
    expect(await call(["insecure", "--trust"])).toMatchObject({ exitCode: 0 });
  });
});

describe("the git that BuildKit runs", () => {
  it("goes through a proxy that keeps it off this machine, whatever the environment says", async () => {
    const git = path.join(engineState, "bin/git");
    expect(readFileSync(git, "utf8")).toContain("http.proxy");
    for (const url of [`http://127.0.0.1:${port}/r.git`, `https://localhost:${port}/r.git`]) {
      const failure = promisify(execFile)(git, ["ls-remote", url], {
        env: { PATH: process.env["PATH"], NO_PROXY: "*", no_proxy: "*" },
      });
      await expect(failure).rejects.toThrow(/403|502|is this machine/);
    }
    expect(requests).toEqual([]);
  });
});

describe("cache volumes", () => {
  it("are a repository's and module's own: no copy, no other module, and no Dockerfile reads them", async () => {
    expect(await call(["volume", "--write", "of-one"])).toMatchObject({ exitCode: 0 });
    expect((await call(["volume"])).stdout).toBe("of-one\n");
    const copy = path.join(folder, "two");
    cpSync(project, copy, { recursive: true });
    expect((await call(["volume"], {}, copy)).stdout).toBe("empty\n");
    const names = [
      "npm",
      "fastloop-cache:npm",
      `../fastloop-cache-${projectIdentity({ workdir: project, module: { name: "ci", sourceDir: path.join(project, "ci") } })}:npm`,
    ];
    for (const at of [project, copy])
      for (const name of names) expect(await readByDockerfile(name, at), name).toBe("empty\n");
  });

  it("of Dockerfiles are the project's, too, whatever namespace is asked for", async () => {
    const written = await call([
      "dockerfile",
      "--text",
      "FROM debian:bookworm-slim|RUN --mount=type=cache,id=own,target=/c echo of-one > /c/x; echo x > /o; echo NOW",
      "--namespace",
      "others",
    ]);
    expect(written).toMatchObject({ exitCode: 0 });
    expect(await readByDockerfile("own", project)).toBe("of-one\nempty\n");
    const copy = path.join(folder, "three");
    cpSync(project, copy, { recursive: true });
    expect(await readByDockerfile("own", copy)).toBe("empty\n");
    expect(await readByDockerfile("own", copy, "others")).toBe("empty\n");
  });

  /** What a Dockerfile's command finds in the cache of that id. */
  async function readByDockerfile(id: string, cwd: string, namespace = ""): Promise<string> {
    const text = `FROM debian:bookworm-slim|RUN --mount=type=cache,id=${id},target=/c cat /c/* > /o 2>/dev/null; echo empty >> /o; echo NOW`;
    const { stdout, stderr } = await call(["dockerfile", "--text", text, "--namespace", namespace], {}, cwd);
    return stdout || stderr;
  }
});
