import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { canRunEngine, startOwnEngine, type OwnEngine } from "../own-engine.ts";
import { fastloop, type CliResult } from "./fastloop.ts";

const source = `
import { argument, CacheVolume, Container, dag, Directory, File, func, object, Platform, ReturnType, Secret } from "@dagger.io/dagger"

const IMAGE = "debian:bookworm-slim"

@object()
export class Calls {
  /** A container with the project in it. */
  @func()
  base(@argument({ defaultPath: "/", ignore: ["**", "!*.txt"] }) source: Directory): Container {
    return dag.container().from(IMAGE).withMountedDirectory("/src", source).withWorkdir("/src")
  }

  @func()
  async lines(file: File): Promise<string[]> {
    return (await file.contents()).trim().split("\\n")
  }

  /** Says another thing each time that it runs. */
  @func()
  async roll(dir: Directory): Promise<string> {
    await dir.entries()
    return crypto.randomUUID()
  }

  @func({ cache: "never" })
  always(): string {
    return crypto.randomUUID()
  }

  @func()
  async fail(code: number): Promise<string> {
    return dag.container().from(IMAGE).withExec(["sh", "-c", "echo to-out; echo to-err >&2; exit " + code]).stdout()
  }

  @func()
  async tolerate(): Promise<number> {
    return dag.container().from(IMAGE).withExec(["sh", "-c", "exit 3"], { expect: ReturnType.Any }).exitCode()
  }

  @func()
  async length(token: Secret): Promise<string> {
    const inside = dag.container().from(IMAGE).withSecretVariable("TOKEN", token).withExec(["sh", "-c", "printf %s \\"$TOKEN\\" | wc -c"])
    return (await inside.stdout()).trim()
  }

  @func()
  reveal(token: Secret): Promise<string> {
    return token.plaintext()
  }

  @func()
  async parallel(count = 3): Promise<string> {
    const one = (n: number) => dag.container().from(IMAGE).withEnvVariable("N", String(n)).withExec(["sh", "-c", "echo $N"]).stdout()
    return (await Promise.all(Array.from({ length: count }, (_, n) => one(n)))).map((text) => text.trim()).join(",")
  }

  @func()
  machine(platform?: Platform): Promise<string> {
    return dag.container({ platform }).from(IMAGE).withExec(["uname", "-m"]).stdout()
  }

  @func()
  hang(): Promise<string> {
    return dag.container().from(IMAGE).withExec(["sh", "-c", "echo hanging; sleep 1000.5"]).stdout()
  }

  @func()
  throws(): string {
    throw new Error("on purpose")
  }
}
`;

let project: string;
let engine: OwnEngine | undefined;
const call = (words: string | string[], env: NodeJS.ProcessEnv = {}): Promise<CliResult> =>
  fastloop(["call", ...(typeof words === "string" ? words.split(" ") : words)], { cwd: project, env });

beforeAll(async () => {
  if (canRunEngine) engine = await startOwnEngine();
  project = mkdtempSync(path.join(tmpdir(), "fastloop-call-"));
  mkdirSync(path.join(project, ".git"));
  mkdirSync(path.join(project, "ci/src"), { recursive: true });
  writeFileSync(
    path.join(project, "dagger.json"),
    '{"name":"calls","engineVersion":"v0.21.4","sdk":"typescript","source":"ci"}',
  );
  writeFileSync(path.join(project, "ci/src/index.ts"), source);
});
beforeEach(() => {
  writeFileSync(path.join(project, "a.txt"), "first\nsecond\n");
});
afterAll(async () => {
  await engine?.stop();
  rmSync(project, { recursive: true, force: true });
});

describe.runIf(canRunEngine)("fastloop call", () => {
  it("runs a body in the function runtime and its containers in the engine; result on stdout, progress on stderr", async () => {
    const result = await call(["base", "-v", "with-exec", "--args=sh,-c,cat a.txt; echo progress >&2", "stdout"]);
    expect(result).toMatchObject({ exitCode: 0, stdout: "first\nsecond\n" });
    expect(result.stderr).toContain("exec sh -c");
  });

  it("says first where a module that -m names reads another folder than the project one stands in", async () => {
    const elsewhere = mkdtempSync(path.join(tmpdir(), "fastloop-elsewhere-"));
    const words = ["-m", project, "call", "--trust", "base", "file", "--path=a.txt", "contents"];
    const other = await fastloop(words, { cwd: elsewhere });
    expect(other).toMatchObject({ exitCode: 0, stdout: "first\nsecond\n" });
    expect(other.stderr).toMatch(/^note: --source is \S+, not the project here; name it: --source \.$/m);
    writeFileSync(path.join(elsewhere, "a.txt"), "here\n");
    const named = await fastloop([...words.slice(0, 5), "--source=.", ...words.slice(5)], { cwd: elsewhere });
    expect(named).toMatchObject({
      exitCode: 0,
      stdout: "here\n",
      stderr: expect.not.stringContaining("note: --source"),
    });
    rmSync(elsewhere, { recursive: true });
  });

  it("chains through core types, with their own arguments", async () => {
    expect((await call("base file --path a.txt contents --limit-lines 1")).stdout.trim()).toBe("first");
    expect((await call("base directory --path /src entries")).stdout).toBe("a.txt\n");
    expect((await call("base with-env-variable --name A --value b env-variable --name A")).stdout).toBe("b");
  });

  it("prints lists one item a line, JSON when asked, objects as references", async () => {
    expect((await call("lines --file a.txt")).stdout).toBe("first\nsecond\n");
    expect(JSON.parse((await call("lines --file a.txt --json")).stdout)).toEqual(["first", "second"]);
    expect((await call("base")).stdout).toMatch(/^Container@sha256:[0-9a-f]{64}\n$/);
  });

  it("saves results with -o and export", async () => {
    const saved = await call("base directory --path /src -o out");
    expect(saved).toMatchObject({ exitCode: 0, stdout: "" });
    expect(saved.stderr).toContain(`Saved to "${path.join(project, "out")}"`);
    expect(readFileSync(path.join(project, "out/a.txt"), "utf8")).toBe("first\nsecond\n");
    await call("base file --path a.txt export --path exported.txt");
    expect(readFileSync(path.join(project, "exported.txt"), "utf8")).toBe("first\nsecond\n");
    await call("lines --file a.txt -o deep/list.json -j");
    expect(JSON.parse(readFileSync(path.join(project, "deep/list.json"), "utf8"))).toEqual(["first", "second"]);
    for (const name of ["out", "exported.txt", "deep"]) rmSync(path.join(project, name), { recursive: true });
  });

  it("ends with the exit code of a failing command and shows its output and the body's place", async () => {
    const failed = await call("fail --code 7");
    expect(failed).toMatchObject({ exitCode: 7, stdout: "" });
    expect(failed.stderr).toContain("to-err");
    expect(failed.stderr).toMatch(/error: ci\/src\/index\.ts:\d+/);
    expect((await call("tolerate")).stdout).toBe("3");
    const thrown = await call("throws");
    expect(thrown.exitCode).toBe(1);
    expect(thrown.stderr).toMatch(/error: ci\/src\/index\.ts:\d+:\d+: on purpose/);
    const json = await call("throws --json");
    expect(JSON.parse(json.stderr.split("\n").find((line) => line.startsWith("{")) ?? "")).toMatchObject({
      error: { code: "function-failed", message: "on purpose", exitCode: 1 },
    });
  });

  it("runs containers of one body in parallel over its one session", async () => {
    expect((await call("parallel --count 5")).stdout).toBe("0,1,2,3,4");
  });

  it("takes secrets from variables, files and commands, and keeps none of them", async () => {
    expect((await call("length --token env://MY_TOKEN", { MY_TOKEN: "twelve chars" })).stdout).toBe("12");
    writeFileSync(path.join(project, "token"), "four");
    expect((await call("length --token file://token")).stdout).toBe("4");
    rmSync(path.join(project, "token"));
    expect((await call(["length", "--token", "cmd://printf abc"])).stdout).toBe("3");
    expect((await call("reveal --token env://MY_TOKEN", { MY_TOKEN: "s3cr3t-value" })).stdout).toBe("s3cr3t-value");
    const state = path.join(project, ".fastloop");
    const files = readdirSync(state, { recursive: true, encoding: "utf8" }).map((name) => path.join(state, name));
    const texts = files.flatMap((file) =>
      existsSync(file) && !readdirOrUndefined(file) ? [readFileSync(file, "latin1")] : [],
    );
    expect(texts.length).toBeGreaterThan(0);
    for (const text of texts) expect(text).not.toMatch(/s3cr3t-value|twelve chars/);
  });

  it("says what is wrong with an argument, with exit code 2", async () => {
    expect(await call("lines --file nowhere.txt")).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("there is no file"),
    });
    expect(await call("length --token env://NOT_SET_ANYWHERE")).toMatchObject({ exitCode: 2 });
    expect(await call("rol")).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("did you mean roll?") });
  });

  it("says what the embedded engine does not serve", async () => {
    const result = await call("base export-image --name x");
    expect(result).toMatchObject({ exitCode: 1 });
    expect(result.stderr).toContain("Container.exportImage");
  });
});

describe.runIf(canRunEngine)("a repeated call", () => {
  const roll = async (...more: string[]): Promise<string> => (await call(["roll", "--dir", "data", ...more])).stdout;

  beforeEach(() => {
    rmSync(path.join(project, "data"), { recursive: true, force: true });
    mkdirSync(path.join(project, "data"));
    writeFileSync(path.join(project, "data/x"), "1");
  });

  it("runs nothing while nothing changed, and again when an input or the module did", async () => {
    const first = await roll();
    expect(first).toMatch(/^[0-9a-f-]{36}$/);
    expect(await roll()).toBe(first);
    writeFileSync(path.join(project, "data/x"), "2");
    const second = await roll();
    expect(second).not.toBe(first);
    writeFileSync(path.join(project, "data/x"), "1");
    expect(await roll()).toBe(first);
    expect(await roll("--no-cache")).not.toBe(first);
    writeFileSync(path.join(project, "ci/src/index.ts"), `${source}\n`);
    expect(await roll()).not.toBe(first);
    writeFileSync(path.join(project, "ci/src/index.ts"), source);
    expect(await roll()).toBe(first);
  });

  it("runs each time where the policy is never", async () => {
    expect((await call("always")).stdout).not.toBe((await call("always")).stdout);
  });

  it("does not remember a failure", async () => {
    expect((await call("fail --code 9")).exitCode).toBe(9);
    expect((await call("fail --code 9")).exitCode).toBe(9);
    expect((await call("fail --code 0")).stdout).toBe("to-out\n");
  });
});

it.runIf(canRunEngine)("reads arguments that a copy of the project in another place has too", async () => {
  const copy = mkdtempSync(path.join(tmpdir(), "fastloop-copy-"));
  cpSync(project, copy, { recursive: true, filter: (file) => !file.includes(".fastloop") });
  expect((await fastloop(["call", "lines", "--file", "a.txt"], { cwd: path.join(copy, "ci") })).exitCode).toBe(2);
  expect((await fastloop(["-C", copy, "call", "lines", "--file", "a.txt"], { cwd: "/" })).stdout).toBe(
    "first\nsecond\n",
  );
  rmSync(copy, { recursive: true });
});

function readdirOrUndefined(file: string): string[] | undefined {
  try {
    return readdirSync(file);
  } catch {
    return undefined;
  }
}
