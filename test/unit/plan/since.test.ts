import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test, vi } from "vitest";
import {
  affectedSince,
  changedSince,
  orderTargets,
  ProjectScanner,
  resolveTargets,
  type Project,
} from "../../../src/plan/index.ts";
import { workspaceAt } from "../../../src/call/index.ts";
import { WorkspaceReads } from "../../../src/plan/workspace-reads.ts";
import { Trust } from "../../../src/trust/index.ts";
import { ContentHasher } from "../../../src/tree/index.ts";
import { makeTree, seeded } from "../tree/fixture.ts";
import { configAt, moduleAt } from "./fixture.ts";
import { ProjectState } from "../../../src/state/index.ts";

function repository(): {
  project: Project;
  git: (...words: string[]) => string;
  write: (name: string, text: string) => void;
} {
  const root = makeTree({ "lib/a": "1", "api/a": "1", "worker/a": "1", "ci/src/index.ts": "1", "dagger.json": "{}" });
  const git = (...words: string[]): string =>
    execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@t", ...words], { cwd: root, encoding: "utf8" });
  git("init", "-q", "-b", "main");
  git("add", "-A");
  git("commit", "-qm", "one");
  const config = configAt(root, {
    lib: { call: "test --source . --part lib", inputs: ["lib/"] },
    api: { call: "test --source . --part api", inputs: ["api/"], needs: ["lib"] },
    worker: { call: "test --source . --part worker", inputs: ["worker/"] },
  });
  const module = moduleAt(root);
  const targets = orderTargets(resolveTargets(config, module));
  const file = { kind: "file", path: path.join(root, "fastloop.yaml"), filter: {} } as const;
  const sources = [file, { kind: "directory", path: root, filter: { include: ["dagger.json", "ci/**"] } } as const];
  const scanner = new ProjectScanner(sources, new ContentHasher());
  const project: Project = {
    root,
    state: new ProjectState(root),
    configFile: file.path,
    config,
    module,
    targets,
    sources,
    scanner,
    reads: new WorkspaceReads(new ProjectState(root), workspaceAt(root)),
    trust: new Trust(root, [], "none"),
  };
  return { project, git, write: (name, text) => writeFileSync(path.join(root, name), text) };
}

const names = async (project: Project, ref: string): Promise<string[]> =>
  (await affectedSince(project, ref)).targets.map((target) => target.name);

test("committed, uncommitted and untracked changes since the merge base count, the base's own do not", async () => {
  const { project, git, write } = repository();
  git("checkout", "-qb", "topic");
  write("api/a", "2");
  git("commit", "-qam", "topic");
  git("checkout", "-q", "main");
  write("worker/a", "main moved on");
  git("commit", "-qam", "main");
  git("checkout", "-q", "topic");
  expect(await names(project, "main")).toEqual(["api"]);
  write("worker/a", "uncommitted");
  expect(await names(project, "main")).toEqual(["api", "worker"]);
  // An editor's own concerns nobody here either.
  write("lib/.a.swp", "b0VIM");
  expect(await names(project, "main")).toEqual(["api", "worker"]);
  write("lib/new", "untracked");
  expect(await names(project, "main")).toEqual(["lib", "api", "worker"]);
});

test("a removed file counts, and what needs an affected function is affected", async () => {
  const { project } = repository();
  rmSync(path.join(project.root, "lib/a"));
  expect((await affectedSince(project, "HEAD")).targets).toEqual([
    { name: "lib", reasons: [{ kind: "file", change: "removed", path: "lib/a" }] },
    { name: "api", reasons: [{ kind: "dependency", target: "lib" }] },
  ]);
});

test("a change of the module affects everything", async () => {
  const { project, write } = repository();
  write("ci/src/index.ts", "2");
  expect(await names(project, "HEAD")).toEqual(["lib", "api", "worker"]);
});

test("a commit that is not here means everything, with the reason", async () => {
  const { project } = repository();
  const result = await affectedSince(project, "origin/main");
  expect(result.base).toBeUndefined();
  expect(result.targets).toHaveLength(3);
  expect(result.targets[0]!.reasons).toEqual([
    { kind: "base-unusable", ref: "origin/main", why: expect.stringContaining("no such commit") },
  ]);
});

test("a shallow clone without a common commit means everything, with the reason", async () => {
  const { project, git, write } = repository();
  git("checkout", "-qb", "topic");
  write("lib/a", "topic");
  git("commit", "-qam", "topic");
  git("checkout", "-q", "main");
  write("api/a", "main");
  git("commit", "-qam", "main");
  const clone = path.join(makeTree(), "clone");
  execFileSync("git", ["clone", "-q", "--depth", "1", "--no-single-branch", `file://${project.root}`, clone]);
  expect(await changedSince(clone, "origin/topic")).toEqual({ why: expect.stringContaining("shallow") });
});

test("outside of a repository everything is affected, with the reason", async () => {
  expect(await changedSince(makeTree(), "HEAD")).toEqual({ why: "this is no git repository" });
});

test("a reference that looks like an option is none", async () => {
  const { project } = repository();
  expect(await changedSince(project.root, "--output=x")).toEqual({ why: expect.stringContaining("no such commit") });
});

test("a change of the configuration affects everything, and says so", async () => {
  const { project, git, write } = repository();
  write("fastloop.yaml", "version: 1");
  git("add", "fastloop.yaml");
  expect((await affectedSince(project, "HEAD")).targets[2]).toEqual({
    name: "worker",
    reasons: [{ kind: "configuration" }],
  });
});

test("a project that is reached through a link is compared all the same", async () => {
  const { project, write } = repository();
  const link = path.join(makeTree(), "link");
  symlinkSync(project.root, link);
  write("worker/a", "2");
  const through = (file: string): string => file.replace(project.root, link);
  const targets = project.targets.map((item) => ({
    ...item,
    inputs: item.inputs.map((input) => ({ ...input, path: through(input.path) })),
  }));
  expect((await affectedSince({ ...project, root: link, targets }, "HEAD")).targets).toEqual([
    { name: "worker", reasons: [{ kind: "file", change: "changed", path: "worker/a" }] },
  ]);
});

test("a repository inside of an input counts as a whole", async () => {
  const { project } = repository();
  const inner = path.join(project.root, "lib/inner");
  execFileSync("git", ["init", "-q", inner]);
  writeFileSync(path.join(inner, "file"), "1");
  expect(await names(project, "HEAD")).toEqual(["lib", "api"]);
});

test("the user's settings of git change nothing", async () => {
  const { project, git, write } = repository();
  git("config", "diff.relative", "true");
  write("worker/a", "2");
  expect(
    (await affectedSince({ ...project, root: project.root }, "HEAD")).targets.map((target) => target.name),
  ).toEqual(["worker"]);
  expect(await changedSince(path.join(project.root, "lib"), "HEAD")).toMatchObject({
    files: [{ file: path.join(project.root, "worker/a") }],
  });
});

test("a file that git was told to take for unchanged counts where it is another one", async () => {
  const { project, git, write } = repository();
  git("update-index", "--assume-unchanged", "worker/a");
  git("update-index", "--skip-worktree", "api/a");
  expect(await names(project, "HEAD")).toEqual([]);
  write("worker/a", "2");
  write("api/a", "2");
  expect(git("status", "--porcelain", "--untracked-files=no")).toBe("");
  expect(await names(project, "HEAD")).toEqual(["api", "worker"]);
});

test("what the user's global excludes name is no change, unless the project brings it back", async () => {
  const { project, write } = repository();
  const home = makeTree({ ".config/git/ignore": "*.mine\n" });
  vi.stubEnv("HOME", home);
  vi.stubEnv("XDG_CONFIG_HOME", path.join(home, ".config"));
  try {
    write("lib/a.mine", "1");
    expect(await changedSince(project.root, "HEAD")).toMatchObject({ files: [] });
    write(".gitignore", "!a.mine\n");
    const files = [".gitignore", "lib/a.mine"].map((name) => ({ file: path.join(project.root, name) }));
    expect(await changedSince(project.root, "HEAD")).toMatchObject({ files });
  } finally {
    vi.unstubAllEnvs();
  }
});

test("in a hook of git it is the project's repository that is asked", async () => {
  const { project, write } = repository();
  vi.stubEnv("GIT_DIR", ".git-elsewhere");
  vi.stubEnv("GIT_INDEX_FILE", ".git/next-index-1.lock");
  vi.stubEnv("GIT_PREFIX", "lib/");
  try {
    write("worker/a", "2");
    expect((await affectedSince(project, "HEAD")).targets).toEqual([
      { name: "worker", reasons: [{ kind: "file", change: "changed", path: "worker/a" }] },
    ]);
  } finally {
    vi.unstubAllEnvs();
  }
});

test("a repository in a folder with spaces at its ends and a name that reads as a pattern is compared", async () => {
  const outer = makeTree({});
  const root = path.join(outer, " [x]*\n ");
  mkdirSync(path.join(root, "lib"), { recursive: true });
  writeFileSync(path.join(root, "lib/a"), "1");
  for (const words of [
    ["init", "-q"],
    ["add", "-A"],
    ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "one"],
  ])
    execFileSync("git", words, { cwd: root });
  writeFileSync(path.join(root, "lib/a"), "2");
  writeFileSync(path.join(root, "lib/b"), "1");
  expect(await changedSince(root, "HEAD")).toMatchObject({
    files: [
      { file: path.join(root, "lib/a"), change: "changed" },
      { file: path.join(root, "lib/b"), change: "added" },
    ],
  });
});

test("more changes since a commit never select fewer functions", async () => {
  for (let seed = 1; seed <= 5; seed++) {
    const random = seeded(seed);
    const { project, git, write } = repository();
    let selected: string[] = [];
    for (let step = 0; step < 5; step++) {
      const folder = ["lib", "api", "worker", "ci/src"][random(4)]!;
      if (random(4) === 0) rmSync(path.join(project.root, folder, "a"), { force: true });
      else write(`${folder}/${["a", "new"][random(2)]}`, `seed ${seed} step ${step}`);
      if (random(3) === 0) git("add", "-A");
      const now = await names(project, "HEAD");
      for (const before of selected) expect(now, `seed ${seed} step ${step}`).toContain(before);
      selected = now;
    }
  }
});

test("a comparison costs six processes of git, of which five wait for none of the others", async () => {
  const { project } = repository();
  const beside = makeTree();
  const words = path.join(beside, "words");
  const real = execFileSync("sh", ["-c", "command -v git"], { encoding: "utf8" }).trim();
  writeFileSync(path.join(beside, "git"), `#!/bin/sh\necho "$@" >> ${words}\nexec ${real} "$@"\n`, { mode: 0o755 });
  vi.stubEnv("PATH", `${beside}:${process.env["PATH"]}`);
  expect(await changedSince(project.root, "HEAD")).toMatchObject({ files: [] });
  vi.unstubAllEnvs();
  const asked = readFileSync(words, "utf8").trim().split("\n");
  expect(new Set(asked.map((line) => line.split(" ")[4]))).toEqual(
    new Set(["config", "diff", "ls-files", "merge-base", "rev-parse", "version"]),
  );
  expect(asked).toHaveLength(6);
  expect(asked.at(-1)).toContain(" diff ");
});
