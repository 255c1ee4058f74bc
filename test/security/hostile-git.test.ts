/** A `.git` that somebody else wrote, as an archive brings it: the programs that it names are not run by any command. */
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bug, HostileProject } from "./hostile-project.ts";

let project: HostileProject;
/** What the programs write to. */
let told = "";

/** A program that says that it ran. */
function program(name: string): string {
  const file = path.join(project.top, name);
  writeFileSync(file, `#!/bin/sh\necho ${name} >> ${told}\nexit 1\n`);
  chmodSync(file, 0o755);
  return file;
}

function submodule(): void {
  const source = path.join(project.top, "source");
  mkdirSync(source);
  const git = (...words: string[]): void =>
    void execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@t", ...words], { cwd: source });
  git("init", "-q");
  writeFileSync(path.join(source, "file"), "one");
  git("add", "-A");
  git("commit", "-qm", "one");
  project.git("submodule", "add", "-q", source, "sub");
}

beforeAll(() => {
  project = new HostileProject();
  told = path.join(project.top, "told");
  project.write(".gitattributes", "*.txt filter=evil diff=evil\n*.md filter=a=b.c\n");
  project.write("a.txt", "one");
  project.write("a.md", "one");
  submodule();
  project.commit();
  project.git("commit", "-q", "--allow-empty", "-m", "two");
  const hooks = path.join(project.top, "hooks");
  mkdirSync(hooks);
  for (const hook of ["post-index-change", "reference-transaction", "pre-auto-gc", "fsmonitor-watchman"])
    writeFileSync(path.join(hooks, hook), readFileSync(program(hook)), { mode: 0o755 });
  for (const [key, value] of [
    ["core.fsmonitor", program("fsmonitor")],
    ["core.hooksPath", hooks],
    ["core.sshCommand", program("ssh")],
    ["core.pager", program("pager")],
    ["core.askPass", program("askpass")],
    ["credential.helper", program("credential")],
    ["diff.external", program("external-diff")],
    ["diff.evil.command", program("diff-command")],
    ["diff.evil.textconv", program("textconv")],
    ["filter.evil.clean", program("clean")],
    ["filter.evil.process", program("process")],
    ["filter.evil.required", "true"],
    ["filter.a=b.c.clean", program("clean-of-an-odd-name")],
    // Of objects that are not here.
    ["core.repositoryFormatVersion", "1"],
    ["extensions.partialClone", "origin"],
    ["remote.origin.promisor", "true"],
    ["remote.origin.url", path.join(project.top, "source")],
    ["remote.origin.uploadpack", program("uploadpack")],
  ])
    project.git("config", key!, value!);
  const inner = project.at(".git/modules/sub");
  for (const [key, name] of [
    ["core.fsmonitor", "fsmonitor-of-a-submodule"],
    ["filter.inner.clean", "clean-of-a-submodule"],
  ])
    execFileSync("git", ["config", "-f", path.join(inner, "config"), key!, program(name!)]);
  mkdirSync(path.join(inner, "info"), { recursive: true });
  writeFileSync(path.join(inner, "info/attributes"), "* filter=inner\n");
  // Other times and as many bytes: git has to look into them.
  for (const name of ["a.txt", "a.md", "sub/file"]) project.write(name, "two");
  rmSync(told, { force: true });
});
afterAll(() => project.remove());

describe("of a repository that names programs for git to run, none is run by", () => {
  it.each(
    [
      "affected --since HEAD~1",
      "run ok --since HEAD~1",
      "plan",
      "why ok",
      "graph",
      "validate",
      "functions",
      "watches",
      "trust --show",
      "doctor",
      "stats",
      "diff",
      "init --ci github --dry-run",
      "call ok",
    ].map((line) => [line]),
  )("%s", async (line) => {
    const result = await project.run(line.split(" "));
    expect(existsSync(told) ? readFileSync(told, "utf8") : "").toBe("");
    expect(result.stderr).not.toMatch(bug);
    if (line.includes("--since")) expect(result).toMatchObject({ exitCode: 0 });
  });

  it("what is affected where objects are missing", async () => {
    const commit = project.git("-c", "core.fsmonitor=false", "rev-parse", "HEAD~1").trim();
    unlinkSync(project.at(`.git/objects/${commit.slice(0, 2)}/${commit.slice(2)}`));
    const { exitCode, stdout } = await project.run(["affected", "--since", commit]);
    expect([exitCode, existsSync(told) ? readFileSync(told, "utf8") : ""]).toEqual([0, ""]);
    expect(stdout).toContain("no such commit");
  });

  it("what is affected and what init finds where git would wait for a pipe", async () => {
    unlinkSync(project.at(".git/config"));
    execFileSync("mkfifo", [project.at(".git/config")]);
    const affected = await project.run(["affected", "--since", "HEAD"]);
    expect(affected).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(".git/config is no file") });
    rmSync(project.at("fastloop.yaml"));
    expect(await project.run(["init", "--dry-run"])).toMatchObject({ stderr: expect.not.stringMatching(bug) });
    expect(existsSync(told)).toBe(false);
  });
});
