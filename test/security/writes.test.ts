/** What a clone has written into the user's folders by commands that only should write into the project. */
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AskingProject } from "./asking-project.ts";

let project: AskingProject;
beforeEach(() => {
  project = new AskingProject();
});
afterEach(() => project.remove());

const at = (name: string): string => path.join(project.root, name);
const key = (): string => readFileSync(path.join(project.home, ".ssh/id"), "utf8");

function module(body: string): void {
  project.write(
    "ci/src/index.ts",
    `import { Changeset, dag, Directory, func, generate, object } from "@dagger.io/dagger"
    @object() export class Ci { ${body} }`,
  );
}

describe("a watched call", () => {
  it("exports what is git's into no folder of the repository, and the rest", async () => {
    module(`@func({ cache: "never" }) made(): Directory {
      return dag.directory().withNewFile(".git/hooks/pre-commit", "x").withNewFile("sub/.git/config", "x").withNewFile("sub/.Git/config", "x")
        .withNewFile("out/made", "x")
    }`);
    project.watch({ root: "made export --path .", below: "made export --path inside" });
    expect(await project.run(["run"])).toMatchObject({ exitCode: 0 });
    expect([at("out/made"), at("inside/out/made")].map((file) => existsSync(file))).toEqual([true, true]);
    const written = [".git/hooks/pre-commit", "sub/.git", "sub/.Git", "inside/.git", "inside/sub/.Git"].map(at);
    expect(written.filter((file) => existsSync(file))).toEqual([]);
  });

  it("wipes no folder that holds the repository's own .git without the user's word", async () => {
    project.watch({ wiped: "made export --path . --wipe", below: "made export --path inside --wipe" });
    const { exitCode, stdout } = await project.run(["run"]);
    expect(exitCode).toBe(2);
    expect(stdout).toContain(`export writes to ${project.root}, which is not the repository's own`);
    expect([existsSync(at(".git/HEAD")), readdirSync(at("inside"))]).toEqual([true, ["made"]]);
  });
});

describe("a generator", () => {
  it("removes nothing behind a link of the project", async () => {
    module(`@func({ cache: "never" }) @generate() gone(): Changeset {
      const before = dag.directory().withNewFile("docs/id", "x").withNewFile("inside/token", "x")
      return dag.directory().changes(before)
    }`);
    expect(await project.run(["generate", "-y"])).toMatchObject({ exitCode: 0 });
    expect([key(), existsSync(at("inside/token"))]).toEqual(["key-of-the-user", false]);
  });

  it("writes through no link of the project, and nothing that git runs", async () => {
    module(`@func({ cache: "never" }) @generate() put(): Changeset {
      return dag.directory().withNewFile("docs/id", "forged").changes(dag.directory())
    }
    @func({ cache: "never" }) @generate() hook(): Changeset {
      return dag.directory().withNewFile(".git/hooks/pre-commit", "forged").changes(dag.directory())
    }
    @func({ cache: "never" }) @generate() capitals(): Changeset {
      return dag.directory().withNewFile(".GIT/hooks/pre-commit", "forged").changes(dag.directory())
    }`);
    await project.run(["generate", "put", "-y"]);
    expect([key(), lstatSync(at("docs")).isDirectory()]).toEqual(["key-of-the-user", true]);
    const hook = await project.run(["generate", "hook", "-y"]);
    expect(hook.exitCode).not.toBe(0);
    expect(hook.stderr).toContain('a changeset with ".git/" in it is not exported');
    const capitals = await project.run(["generate", "capitals", "-y"]);
    expect(capitals.stderr).toContain('a changeset with ".GIT/" in it is not exported');
    expect([at(".git/hooks/pre-commit"), at(".GIT")].filter((file) => existsSync(file))).toEqual([]);
  });
});

describe("init", () => {
  beforeEach(() => {
    rmSync(at("dagger.json"));
    rmSync(at("ci"), { recursive: true });
    project.write("package.json", '{"name":"x","scripts":{"test":"node --test"}}');
    project.write("a.test.js", "import test from 'node:test'");
  });

  it.each([
    ["fastloop.yaml", []],
    ["dagger.json", ["--module"]],
    ["Makefile", ["--make"]],
    ["pipelines", ["--module"]],
  ])("does not write %s through a link to nothing", async (name, words) => {
    const outside = path.join(project.home, "made");
    symlinkSync(outside, at(name));
    expect(await project.run(["init", ...words])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("init never overwrites"),
    });
    expect(existsSync(outside)).toBe(false);
  });

  it.each([
    ["a folder of the user's", ".config"],
    ["nothing", "made"],
  ])("writes no workflow where .github is a link to %s", async (_what, name) => {
    mkdirSync(path.join(project.home, ".config"));
    symlinkSync(path.join(project.home, name), at(".github"));
    expect(await project.run(["init", "--ci", "github"])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("a link on its way leaves this folder"),
    });
    expect(readdirSync(project.home).sort()).toEqual([".config", ".ssh"]);
    expect([readdirSync(path.join(project.home, ".config")), existsSync(at("fastloop.yaml"))]).toEqual([[], false]);
  });
});
