import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fastloop, type CliResult } from "./cli-process.ts";

/** Each tries to reach the user's machine through the session; `$OUT` is a folder there. */
const escapes = {
  "a directory of the host": 'dag.host().directory("/").entries()',
  "a file of the host": 'dag.host().file("$OUT/private.txt").contents()',
  "a name looked for in the host's folders": 'dag.host().findUp("dagger.json")',
  "a variable of the user's": 'dag.secret("env://ESCAPE").plaintext()',
  "a variable of the user's in an environment file": 'dag.envFile().withVariable("X", "${ESCAPE}").get("X")',
  "a variable of the user's in a file of its own": 'dag.file("env", "X=${ESCAPE}").asEnvFile().get("X")',
  "a module of its own": 'dag.directory().withNewFile("dagger.json", "{}").asModule().serve()',
  "a file as a secret": 'dag.secret("file://$OUT/private.txt").plaintext()',
  "a command on the host": 'dag.secret("cmd://touch $OUT/made; echo ran").plaintext()',
  "a secret of the host in a container": 'dag.container().withSecretVariable("A", dag.secret("env://ESCAPE")).id()',
  "a directory written to the host": 'dag.directory().withNewFile("made", "").export("/home/made")',
  "a file written to the host": 'dag.file("made", "").export("/home/made")',
  "an image written to the host": 'dag.container().export("$OUT/made")',
  "a changeset written to the host": 'dag.directory().withNewFile("made", "").changes(dag.directory()).export("$OUT")',
  "an image for the user's Docker": 'dag.container().exportImage("made")',
  "a tunnel into a service": "dag.host().tunnel(web()).start()",
  "a service's port on the host": "web().up({ random: true })",
  "a container's port on the host": "dag.container().up({ random: true })",
  "a service of the host": "dag.host().service([{ backend: 22, frontend: 22 }]).start()",
  "a unix socket of the host": 'dag.host().unixSocket("$OUT/socket").id()',
  "the engine's cache": "dag.engine().localCache().prune()",
  "an alias": 'raw("{ version: host { file(path: \\"$OUT/private.txt\\") { contents } } }")',
  "a fragment": 'raw("query { ...f } fragment f on Query { host { findUp(name: \\"x\\") } }")',
  "a variable": 'raw("query($u: String!) { secret(uri: $u) { plaintext } }", { u: "env://ESCAPE" })',
  "an id of the host": 'raw("{ node(id: \\"Host@sha256:0\\") { ... on Host { findUp(name: \\"x\\") } } }")',
  "the loader of the host": 'raw("{ loadHostFromID(id: \\"Host@sha256:0\\") { findUp(name: \\"x\\") } }")',
};
const [expressions, whats] = [Object.values(escapes), Object.keys(escapes)];

const source = (out: string): string => `
import { dag, Directory, func, object, Secret, Service, Socket } from "@dagger.io/dagger"

const web = () => dag.container().from("debian:bookworm-slim").withExposedPort(80).asService({ args: ["sleep", "60"] })

/** Without the SDK, with all that a body knows of its session. */
async function raw(query: string, variables = {}): Promise<string> {
  const { DAGGER_SESSION_PORT: port, DAGGER_SESSION_TOKEN: token } = process.env
  const headers = { "content-type": "application/json", authorization: "Basic " + btoa(token + ":") }
  const response = await fetch("http://127.0.0.1:" + port + "/query", { method: "POST", headers, body: JSON.stringify({ query, variables }) })
  const { data, errors } = await response.json()
  if (errors) throw new Error(errors[0].message)
  return JSON.stringify(data)
}

@object()
export class Escapes {
  @func({ cache: "never" })
  async all(): Promise<string> {
    const tries: (() => Promise<unknown>)[] = [${expressions.map((text) => `async () => await ${text.replaceAll("$OUT", out)}`).join(",\n")}]
    const told: string[] = []
    for (const one of tries) told.push(await one().then((value) => "reached: " + String(value), (error) => error.message))
    return JSON.stringify(told)
  }

  @func({ cache: "never" })
  async one(): Promise<string[]> {
    return dag.host().directory("/").entries()
  }

  @func({ cache: "never" })
  repository(path: string): Promise<string[]> {
    return dag.git(path).branches()
  }

  @func({ cache: "never" })
  async given(dir: Directory, variable: Secret, file: Secret, command: Secret, socket: Socket, service: Service): Promise<string> {
    const secrets = await Promise.all([variable, file, command].map((secret) => secret.plaintext()))
    const inside = dag.container().from("debian:bookworm-slim").withDirectory("/d", dir).withSecretVariable("V", variable).withUnixSocket("/run/s", socket)
    const seen = await inside.withExec(["sh", "-c", "ls /d; test -S /run/s && echo socket; echo \${#V}"]).stdout()
    return [...secrets, seen.trim().replaceAll("\\n", " "), typeof (await service.hostname())].join(",")
  }
}
`;

describe("a function body that asks the session for the user's machine", () => {
  let project = "";
  let out = "";
  let told: string[] = [];
  const call = (...words: string[]): Promise<CliResult> =>
    fastloop(["call", ...words], { cwd: project, env: { ESCAPE: "of-the-user" } });

  beforeAll(async () => {
    project = mkdtempSync(path.join(tmpdir(), "fastloop-escapes-"));
    out = path.join(project, "out");
    for (const folder of [".git", "ci/src", "out"]) mkdirSync(path.join(project, folder), { recursive: true });
    writeFileSync(path.join(out, "private.txt"), "of-the-user");
    writeFileSync(
      path.join(project, "dagger.json"),
      '{"name":"escapes","engineVersion":"v0.21.4","sdk":"typescript","source":"ci"}',
    );
    writeFileSync(path.join(project, "ci/src/index.ts"), source(out));
    const result = await call("all");
    expect(result).toMatchObject({ exitCode: 0 });
    told = JSON.parse(result.stdout) as string[];
  });
  afterAll(() => rmSync(project, { recursive: true, force: true }));

  it.each(whats.map((what, n) => [what, n] as const))("is refused %s", (_what, n) => {
    expect(told[n]).toContain("is refused to function bodies: it would reach your machine");
    expect(told[n]).not.toContain("of-the-user");
  });

  it("changed nothing there", () => {
    expect(existsSync(path.join(out, "made"))).toBe(false);
  });

  it("fails with the field, its place and what to do instead", async () => {
    const { exitCode, stderr } = await call("one");
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/error: ci\/src\/index\.ts:\d+: `host` is refused to function bodies/);
    expect(stderr).toContain("take what it needs as an argument (Directory, File, Secret, Service, Socket)");
    expect(stderr).toContain("fastloop session -- COMMAND");
  });

  it("is refused repositories of this machine", async () => {
    const repository = path.join(project, "repository");
    execFileSync("git", ["init", "-q", repository]);
    for (const place of [repository, `file://${repository}`, `ext::touch ${out}/made`]) {
      expect((await call("repository", "--path", place)).stderr).toMatch(/transport '(file|ext)' not allowed/);
    }
    expect(existsSync(path.join(out, "made"))).toBe(false);
  });

  it("gets what the user gives it as arguments", async () => {
    const listening = net.createServer();
    const socket = path.join(project, "s");
    await new Promise<void>((resolve) => listening.listen(socket, resolve));
    const result = await call(
      "given",
      "--dir",
      "out",
      "--variable",
      "env://ESCAPE",
      "--file",
      "file://out/private.txt",
      "--command",
      "cmd://printf ran",
      "--socket",
      socket,
      "--service",
      "tcp://127.0.0.1:1",
    );
    listening.close();
    expect(result).toMatchObject({ exitCode: 0, stdout: "of-the-user,of-the-user,ran,private.txt socket 11,string" });
  });
});
