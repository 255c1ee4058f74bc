import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync, rmSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { isTracked } from "../../../src/state/git-index.ts";
import { ProjectRules } from "../../../src/tree/rules/project-rules.ts";
import { makeTree } from "../tree/fixture.ts";

function repository(files: readonly string[], ...init: string[]): { root: string; git: (...words: string[]) => void } {
  const root = makeTree(Object.fromEntries(files.map((file) => [file, file])));
  const git = (...words: string[]): void =>
    void execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@t", "-c", "core.fsmonitor=false", ...words], {
      cwd: root,
      stdio: "pipe",
    });
  git("init", "-q", ...init);
  return { root, git };
}

const many = Array.from({ length: 700 }, (_, at) => `src/some/folder/with/a/long/name/file-${at}.ts`);

describe.each([2, 3, 4])("in an index of version %i", (version) => {
  it("tells a folder with a tracked file from one without", () => {
    const { root, git } = repository([
      ".editorconfig",
      ".fastloop/runs/a.json",
      ".fastloopx/b",
      "apps/a/.fastloop/hashes",
      "apps/b/.fastloop/hashes",
      "z",
      ...many,
    ]);
    git("config", "index.version", String(version));
    git("add", "-f", ".editorconfig", ".fastloopx", "src", "apps/b", "z");
    // Version 3 is written where an entry has a flag that version 2 has no room for.
    if (version === 3) git("update-index", "--skip-worktree", "z");
    expect(
      [".fastloop", ".fastloopx", "apps/a/.fastloop", "apps/b/.fastloop", "src/.fastloop"].map((folder) =>
        isTracked(path.join(root, folder)),
      ),
    ).toEqual([false, true, false, true, false]);
    git("add", "-f", ".fastloop");
    expect(isTracked(path.join(root, ".fastloop"))).toBe(true);
    git("rm", "-rq", "--cached", ".fastloop");
    expect(isTracked(path.join(root, ".fastloop"))).toBe(false);
  });
});

it("a tracked link, file or submodule of that name counts, and a name in capitals", () => {
  for (const [name, mode] of [
    [".fastloop", "120000"],
    [".fastloop", "100644"],
    [".fastloop", "160000"],
    [".FASTLOOP/runs/x", "100644"],
  ] as const) {
    const { root, git } = repository(["a"]);
    git("update-index", "--add", "--cacheinfo", `${mode},${"1".repeat(40)},${name}`);
    expect(isTracked(path.join(root, ".fastloop")), `${mode} ${name}`).toBe(true);
  }
});

it("a split index, SHA-256 names and a worktree are read as well", () => {
  const split = repository([".fastloop/hashes", "a"]);
  split.git("add", "-f", ".");
  split.git("update-index", "--split-index");
  expect(isTracked(path.join(split.root, ".fastloop"))).toBe(true);

  const long = repository(["a", ".fastloop/hashes"], "--object-format=sha256");
  long.git("add", "a");
  expect(isTracked(path.join(long.root, ".fastloop"))).toBe(false);
  long.git("add", "-f", ".");
  expect(isTracked(path.join(long.root, ".fastloop"))).toBe(true);

  const main = repository(["a"]);
  main.git("add", "a");
  main.git("commit", "-qm", "one");
  main.git("worktree", "add", "-q", "tree");
  mkdirSync(path.join(main.root, "tree/.fastloop"));
  writeFileSync(path.join(main.root, "tree/.fastloop/x"), "");
  execFileSync("git", ["add", "-f", ".fastloop"], { cwd: path.join(main.root, "tree") });
  expect([isTracked(path.join(main.root, "tree/.fastloop")), isTracked(path.join(main.root, ".fastloop"))]).toEqual([
    true,
    false,
  ]);
});

it("without a repository, an index, or with one that is damaged, nothing is tracked", () => {
  expect(isTracked(path.join(makeTree({ ".fastloop/x": "" }), ".fastloop"))).toBe(false);
  const { root, git } = repository([".fastloop/hashes"]);
  expect(isTracked(path.join(root, ".fastloop"))).toBe(false);
  git("add", "-f", ".");
  for (const damaged of ["", "DIRC", "DIRC\0\0\0\x02\0\0\0\x05", "nonsense".repeat(100)]) {
    writeFileSync(path.join(root, ".git/index"), damaged, "latin1");
    expect(isTracked(path.join(root, ".fastloop"))).toBe(false);
  }
  // A name without an end, of a hundred megabytes; a pipe, that nobody writes to.
  writeFileSync(
    path.join(root, ".git/index"),
    Buffer.concat([
      Buffer.from("DIRC\0\0\0\x02\0\0\0\x05", "latin1"),
      Buffer.alloc(62),
      Buffer.alloc(100_000_000, "a"),
    ]),
  );
  expect(isTracked(path.join(root, ".fastloop"))).toBe(false);
  for (const name of ["index", "config"]) {
    rmSync(path.join(root, ".git", name));
    execFileSync("mkfifo", [path.join(root, ".git", name)]);
  }
  expect(isTracked(path.join(root, ".fastloop"))).toBe(false);
  rmSync(path.join(root, ".git/index"));
  mkdirSync(path.join(root, ".git/index"));
  expect(isTracked(path.join(root, ".fastloop"))).toBe(false);
});

it("an index of version 4 whose names share megabytes, or gigabytes together, is no index, and costs no time", () => {
  const { root, git } = repository(["a"]);
  git("add", "a");
  const entry = (name: Buffer): Buffer => Buffer.concat([Buffer.alloc(62), Buffer.from([0]), name, Buffer.from([0])]);
  const index = (first: number, entries: number): Buffer => {
    const head = Buffer.from("DIRC\0\0\0\x04\0\0\0\0", "latin1");
    head.writeUInt32BE(entries + 1, 8);
    return Buffer.concat([
      head,
      entry(Buffer.alloc(first, "!")),
      ...Array.from({ length: entries }, () => entry(Buffer.alloc(0))),
      Buffer.alloc(20),
    ]);
  };
  // The last is within the limit of one name, but not within that of all.
  for (const content of [index(1_000_000, 30_000), index(4097, 10), index(4096, 200_000)]) {
    writeFileSync(path.join(root, ".git/index"), content);
    const before = process.cpuUsage();
    expect(isTracked(path.join(root, ".fastloop"))).toBe(false);
    expect(new ProjectRules(root).tracked.files.has("a")).toBe(false);
    expect(process.cpuUsage(before).user).toBeLessThan(8_000_000);
  }
  writeFileSync(path.join(root, ".git/index"), index(4096, 10));
  expect(new ProjectRules(root).tracked.files.has("!".repeat(4096))).toBe(true);
}, 20_000);
