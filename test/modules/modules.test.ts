import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { canRunEngine, startOwnEngine, type OwnEngine } from "../unit/own-engine.ts";
import { fastloop, type CliResult } from "../unit/cli/fastloop.ts";
import { modules, type ModuleCase } from "./cases/modules.ts";

let engine: OwnEngine | undefined;
beforeAll(async () => {
  if (canRunEngine) engine = await startOwnEngine();
});
afterAll(() => engine?.stop());

const made: string[] = [];
afterEach(() => {
  for (const root of made.splice(0)) rmSync(root, { recursive: true, force: true });
});

class Repository {
  readonly root = mkdtempSync(path.join(tmpdir(), "fastloop-modules-"));
  private readonly at: string;

  private readonly env: Record<string, string>;

  constructor({ files, at = ".", env = {} }: Pick<ModuleCase, "files" | "at" | "env">) {
    this.env = env;
    made.push(this.root);
    mkdirSync(path.join(this.root, ".git"));
    for (const [name, text] of Object.entries(files)) this.write(name, text);
    this.at = path.join(this.root, at);
  }

  write(name: string, text: string): void {
    mkdirSync(path.dirname(path.join(this.root, name)), { recursive: true });
    writeFileSync(path.join(this.root, name), text);
  }

  edit(name: string, from: string, to: string): void {
    const text = readFileSync(path.join(this.root, name), "utf8");
    expect(text).toContain(from);
    this.write(name, text.replace(from, to));
  }

  run(...words: string[]): Promise<CliResult> {
    return fastloop(words, { cwd: this.at, env: this.env });
  }
}

/** Of a list as `dagger check -l` prints it. */
const namesIn = (list: string): (string | undefined)[] =>
  list
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => line.split("   ")[0]);

describe.runIf(canRunEngine)("a module with", () => {
  it.each(modules.map((module) => [module.name, module] as const))("%s", async (_name, module) => {
    const repository = new Repository(module);
    const listed = await repository.run("functions", "-v");
    if (module.broken !== undefined) {
      expect(listed.stderr).toContain(module.broken);
      expect(listed.exitCode).not.toBe(0);
      expect(listed.stderr).not.toMatch(/^ +at /m);
      return;
    }
    expect(listed, listed.stderr).toMatchObject({ exitCode: 0 });
    expect(listed.stdout + listed.stderr).not.toContain("\u001b");
    for (const line of module.functions ?? []) expect(listed.stdout + listed.stderr).toContain(line);
    if (module.checks !== undefined)
      expect(namesIn((await repository.run("check", "-l")).stdout)).toEqual(module.checks);
    if (module.lists !== undefined) expect((await repository.run("functions")).stdout).toBe(module.lists);
    if (module.services !== undefined)
      expect(namesIn((await repository.run("up", "-l")).stdout)).toEqual(module.services);
    for (const [words, result] of module.calls ?? []) {
      const called = await repository.run("call", ...words.split(" "));
      if (typeof result === "string") expect(called, called.stderr).toMatchObject({ exitCode: 0, stdout: result });
      else {
        expect(called.stderr).toContain(result.error);
        expect(called.exitCode).not.toBe(0);
      }
    }
  });
});

describe.runIf(canRunEngine)("an edit in a module runs again what depends on it, and `why` names it", () => {
  const named = (name: string): ModuleCase => modules.find((module) => module.name === name)!;
  const target = { "fastloop.yaml": "version: 1\nwatch:\n  targets:\n    hello: { call: hello }\n" };

  it.each([
    ["dependencies three deep", "a", ["d", "c", "b"]],
    ["a diamond", "top", ["base", "left", "right"]],
  ] as const)("%s", async (name, at, edited) => {
    const repository = new Repository(named(name));
    repository.write(`${at}/fastloop.yaml`, target["fastloop.yaml"]);
    expect(await repository.run("run")).toMatchObject({ exitCode: 0 });
    for (const module of edited) {
      expect((await repository.run("plan")).stdout).toMatch(/^current +hello/);
      repository.edit(`${module}/src/index.ts`, "hello()", "hello ()");
      expect((await repository.run("why", "hello")).stdout).toContain(
        `the code of ${module} changed, which the module depends on`,
      );
      expect(await repository.run("run")).toMatchObject({ exitCode: 0 });
    }
    repository.edit(`${at}/src/index.ts`, "hello()", "hello ()");
    expect((await repository.run("why", "hello")).stdout).toContain("the module's code changed");
  });

  it("one function as two toolchains, each by what it has read itself", async () => {
    const toolchains = ["one", "two"].map((name) => ({
      name,
      source: "tool",
      customizations: [{ function: ["lint"], argument: "file", default: `${name}.txt` }],
    }));
    const repository = new Repository({
      files: {
        "dagger.json": JSON.stringify({ name: "my", engineVersion: "v0.21.4", toolchains }),
        "tool/dagger.json": JSON.stringify({ name: "tool", engineVersion: "v0.21.4", sdk: { source: "typescript" } }),
        "tool/src/index.ts":
          'import { check, func, object, type Workspace } from "@dagger.io/dagger";\n@object()\nexport class Tool {\n' +
          '@func() @check() lint(ws: Workspace, file = "none"): Promise<string> { return ws.file(file).contents(); }\n}\n',
        "one.txt": "1",
        "two.txt": "2",
      },
    });
    const passed = async (): Promise<unknown> =>
      /"passed":\[[^\]]*\]/.exec((await repository.run("check", "--json")).stdout)?.[0];
    expect(await passed()).toBe('"passed":["one:lint","two:lint"]');
    for (const name of ["one", "two"]) {
      repository.write(`${name}.txt`, "changed");
      expect(await passed()).toBe(`"passed":["${name}:lint"]`);
    }
  });

  it("a generator, which is a check until what it makes is there", async () => {
    const repository = new Repository(named("a blueprint with a generator"));
    const passed = async (...words: string[]): Promise<unknown> =>
      /"passed":\[[^\]]*\]/.exec((await repository.run("check", "--json", ...words)).stdout)?.[0];
    const failed = await repository.run("check");
    expect(failed.exitCode).toBe(1);
    expect(failed.stdout + failed.stderr).toContain("the generator make changes files");
    expect(await passed("--no-generate", "--force")).toBe('"passed":["fine"]');
    expect(JSON.parse((await repository.run("check", "-l", "--json")).stdout)).toMatchObject(
      expect.arrayContaining([
        expect.objectContaining({ name: expect.stringContaining("fine") as string, isGenerator: false }),
        expect.objectContaining({ name: expect.stringContaining("make") as string, isGenerator: true }),
      ]),
    );
    // An engine knows them by the project's name and by the blueprint's.
    for (const owner of ["app", "base"]) {
      expect(await passed(`${owner}:same`, "--force")).toBe('"passed":["same"]');
      expect((await repository.run("check", `${owner}:make`)).exitCode).toBe(1);
    }
    expect(await repository.run("generate", "--yes")).toMatchObject({ exitCode: 0 });
    expect(await repository.run("check")).toMatchObject({ exitCode: 0 });
  });

  it("a toolchain's own code, and its customizations", async () => {
    const repository = new Repository(named("a toolchain with the project's defaults"));
    expect(await repository.run("check")).toMatchObject({ exitCode: 0 });
    repository.edit("app/dagger.json", '"default":"3"', '"default":"4"');
    expect((await repository.run("check", "tool:lint", "--json")).stdout).toContain('"passed":["tool:lint"]');
    repository.edit("tool/src/index.ts", "slow()", "slow ()");
    expect((await repository.run("check", "tool", "--json")).stdout).toContain('"passed":["tool:lint"]');
    expect((await repository.run("check", "app:own", "--json")).stdout).toContain("own");
    expect(await repository.run("check", "nothing:*")).toMatchObject({ exitCode: 2 });
  });
});
