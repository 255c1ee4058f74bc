import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fastloop, type CliResult } from "./cli-process.ts";

const moduleSource = `
import { dag, func, object, type Container, type Directory, type Secret } from "@dagger.io/dagger"

@object()
export class Vault {
  /** Uses each secret as variable, file and build secret, prints it whole, in pieces and beside others, and passes or fails. */
  @func({ cache: "never" })
  async use(variable: Secret, file: Secret, command: Secret, fail: boolean = false, round: string = ""): Promise<string> {
    const container = await this.container(variable, file, command)
    const print = 'echo "$V$S $V"; echo "$V" >&2; cat /run/file /run/command; printf "%.6s" "$S"; sleep 0.1; printf "%s\\\\n" "$S" | tail -c +7'
    return container.withEnvVariable("ROUND", round).withExec(["sh", "-c", print + (fail ? "; exit 4" : "")]).stdout()
  }

  @func({ cache: "never" })
  async image(variable: Secret, file: Secret, command: Secret): Promise<Container> {
    const container = await this.container(variable, file, command)
    return container.withExec(["sh", "-c", "cat /run/file | wc -c > /made; env > /dev/null"])
  }

  /** A secret in a Dockerfile that prints it and fails. */
  @func({ cache: "never" })
  async build(source: Directory, variable: Secret): Promise<Container> {
    return source.dockerBuild({ secrets: [dag.setSecret("VAULT", await variable.plaintext())] }).sync()
  }

  private async container(variable: Secret, file: Secret, command: Secret): Promise<Container> {
    const set = dag.setSecret("set", "set-" + (await variable.plaintext()))
    return dag.container().from("debian:bookworm-slim")
      .withSecretVariable("V", variable).withSecretVariable("S", set)
      .withMountedSecret("/run/file", file).withMountedSecret("/run/command", command)
  }
}
`;

const unique = randomBytes(12).toString("hex");
/** What must be nowhere; `set-` and the first one is the secret that the module sets. */
const plaintexts = [`variable-${unique}`, `file-${unique}`, `command-${unique}`];

describe("secrets", () => {
  let project = "";
  const given = [
    "--variable",
    "env://VAULT_VARIABLE",
    "--file",
    "file://secret.txt",
    "--command",
    "cmd://printf command-; cat half.txt",
  ];
  const call = (...words: string[]): Promise<CliResult> =>
    fastloop(words, { cwd: project, env: { VAULT_VARIABLE: plaintexts[0]! } });
  const told: string[] = [];

  beforeAll(() => {
    project = mkdtempSync(path.join(tmpdir(), "fastloop-secrets-"));
    const write = (name: string, text: string): void => {
      mkdirSync(path.dirname(path.join(project, name)), { recursive: true });
      writeFileSync(path.join(project, name), text);
    };
    write(
      "dagger.json",
      JSON.stringify({ name: "vault", engineVersion: "v0.21.4", sdk: { source: "typescript" }, source: "ci" }),
    );
    write("ci/package.json", JSON.stringify({ type: "module" }));
    write("ci/src/index.ts", moduleSource);
    write("secret.txt", `${plaintexts[1]}\n`);
    write("half.txt", `${unique}\n`);
    write(
      "docker/Dockerfile",
      'FROM debian:bookworm-slim\nRUN --mount=type=secret,id=VAULT,env=V echo "it is $V"; echo "$V" >&2; test -n "$V" && exit 5\n',
    );
    const use = "use --variable env://VAULT_VARIABLE --file file://secret.txt --command env://VAULT_VARIABLE";
    write(
      "fastloop.yaml",
      `version: 1\nwatch:\n  targets:\n    passes: { call: "${use} --round 1" }\n    fails: { call: "${use} --fail --round 2" }\n`,
    );
  });
  afterAll(() => rmSync(project, { recursive: true, force: true }));

  it("are masked in what commands print, whole, in pieces and in errors", async () => {
    const passed = await call("call", "-v", "use", ...given);
    expect(passed).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^\*\*\*\*\*\* \*\*\*\n\*\*\*\n?\*\*\*\n?\*\*\*\n$/) as string,
    });
    const failed = await call("call", "-v", "use", ...given, "--fail");
    expect(failed).toMatchObject({ exitCode: 4, stderr: expect.stringContaining("***") as string });
    const asJson = await call("call", "--json", "use", ...given, "--fail", "--round", "json");
    expect(asJson.exitCode).toBe(4);
    const run = await call("run", "--json", "--trust");
    expect(run).toMatchObject({ exitCode: 1, stdout: expect.stringContaining("***") as string });
    const built = await call("call", "-v", "build", "--source", "docker", "--variable", "env://VAULT_VARIABLE");
    expect(built).toMatchObject({ exitCode: 5, stderr: expect.stringContaining("it is ***") as string });
    const missing = await call("call", "use", ...given.slice(0, 2), "--file", "file://no-such-file", ...given.slice(4));
    expect(missing.exitCode).not.toBe(0);
    for (const { stdout, stderr } of [passed, failed, asJson, run, built, missing]) told.push(stdout, stderr);
    for (const plaintext of plaintexts) expect(told.join("\n")).not.toContain(plaintext);
  });

  it("are in no layer and no configuration of an exported image", async () => {
    expect((await call("call", "image", ...given, "export", "--path", "image.tar")).exitCode).toBe(0);
    const archive = path.join(project, "image.tar");
    const names = execFileSync("tar", ["-tf", archive], { encoding: "utf8" })
      .split("\n")
      .filter((name) => name !== "" && !name.endsWith("/"));
    expect(names.length).toBeGreaterThan(3);
    for (const name of names) {
      const plain = spawnSync(
        "sh",
        [
          "-c",
          'tar -xOf "$1" "$2" > "$3"; gzip -dc "$3" 2>/dev/null || cat "$3"',
          "sh",
          archive,
          name,
          path.join(project, "blob"),
        ],
        {
          maxBuffer: 500_000_000,
        },
      );
      for (const plaintext of plaintexts)
        expect(plain.stdout.includes(plaintext), `${plaintext} in ${name}`).toBe(false);
    }
  });

  it("are in no file of the engine, its log and BuildKit's cache included, and in no record of a run", () => {
    const state = process.env["XDG_STATE_HOME"]!;
    expect(readFileSync(path.join(state, "fastloop/engine/engine.log"), "utf8")).toContain("buildkitd");
    // `-D skip`: sockets and pipes; files that other tests remove meanwhile are no failure.
    const having = (place: string): string =>
      spawnSync("grep", ["-rlaFs", "-D", "skip", ...plaintexts.flatMap((plaintext) => ["-e", plaintext]), place], {
        encoding: "utf8",
      }).stdout;
    expect(having(project)).toBe(`${path.join(project, "secret.txt")}\n`);
    expect(having(state)).toBe("");
  });
});
