import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { beforeEach, expect, test } from "vitest";
import { AskedGit } from "../../../src/tree/index.ts";
import { makeTree } from "./fixture.ts";

let [root, beside, told] = ["", "", ""];
let env: NodeJS.ProcessEnv = {};
beforeEach(() => {
  root = makeTree({ ".gitattributes": "*.txt filter=lfs\n", "a.txt": "one", "deep/er/b": "one" });
  beside = makeTree({ "home/.gitconfig": "" });
  told = path.join(beside, "told");
  env = { ...process.env, HOME: path.join(beside, "home"), XDG_CONFIG_HOME: beside, GIT_CONFIG_NOSYSTEM: "1" };
  git("init", "-q");
  git("add", "-A");
  git("-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "one");
});

function git(...words: string[]): string {
  return execFileSync("git", words, { cwd: root, env, encoding: "utf8" });
}

/** A program that says that it ran, and is a filter that changes nothing. */
function program(name: string): string {
  const file = path.join(beside, name);
  writeFileSync(file, `#!/bin/sh\necho ${name} >> ${told}\ncat\n`);
  chmodSync(file, 0o755);
  return file;
}

const compared = async (): Promise<string> =>
  (await new AskedGit(root, env).compare("diff", "--name-only", "HEAD")).trim();

test.each(["lfs.extension.evil.clean", "lfs.customtransfer.evil.path"])(
  "the user's own Git LFS runs, but not where the repository names a program for it by %s",
  async (key) => {
    git("config", "--global", "filter.lfs.clean", program("git-lfs-clean"));
    git("config", "--global", "filter.lfs.required", "true");
    writeFileSync(path.join(root, "a.txt"), "two");
    expect([await compared(), existsSync(told)]).toEqual(["a.txt", true]);
    rmSync(told);
    git("config", key, program("evil"));
    expect([await compared(), existsSync(told)]).toEqual(["a.txt", false]);
  },
);

test("files of attributes and excludes that the repository names are not opened, the user's own are", async () => {
  execFileSync("mkfifo", [path.join(beside, "pipe")]);
  git("config", "core.attributesFile", path.join(beside, "pipe"));
  git("config", "core.excludesFile", path.join(beside, "pipe"));
  writeFileSync(path.join(root, "deep/er/b"), "two");
  expect(await compared()).toBe("deep/er/b");
  writeFileSync(path.join(beside, "home/attributes"), "b filter=mine\n");
  git("config", "--global", "core.attributesFile", "~/attributes");
  git("config", "--global", "filter.mine.clean", program("mine"));
  writeFileSync(path.join(root, "deep/er/b"), "six");
  expect([await compared(), existsSync(told)]).toEqual(["deep/er/b", true]);
});

test("a pipe in the place of attributes is found in every folder above a file", async () => {
  execFileSync("mkfifo", [path.join(root, "deep/.gitattributes")]);
  await expect(compared()).rejects.toThrow("deep/.gitattributes is no file");
});

test("a repository whose configuration says that its files are elsewhere is not compared", async () => {
  git("config", "core.worktree", "/");
  await expect(compared()).rejects.toThrow("says that the repository's files are in /");
  git("config", "core.worktree", root);
  expect(await compared()).toBe("");
});

test("a git that takes no settings from its environment is not asked to compare", async () => {
  const real = execFileSync("sh", ["-c", "command -v git"], { encoding: "utf8" }).trim();
  const other = path.join(beside, "git");
  const saying = (version: string): void => {
    const answer = `case "$*" in *" version") echo "git version ${version}" ;; *) exec ${real} "$@" ;; esac`;
    writeFileSync(other, `#!/bin/sh\n${answer}\n`);
    chmodSync(other, 0o755);
  };
  env = { ...env, PATH: `${beside}:${env["PATH"]}` };
  saying("2.30.9");
  await expect(compared()).rejects.toThrow("git version 2.30.9 can't be kept from");
  saying("2.31.0 (Apple Git-130)");
  expect(await compared()).toBe("");
  saying("3.0.0");
  expect(await compared()).toBe("");
});

test("its file system monitor and hooks are off by the command line too, which every git takes", async () => {
  git("config", "core.fsmonitor", program("monitor"));
  const words = path.join(beside, "words");
  const real = execFileSync("sh", ["-c", "command -v git"], { encoding: "utf8" }).trim();
  writeFileSync(
    path.join(beside, "git"),
    `#!/bin/sh\necho "$@" >> ${words}\nunset GIT_CONFIG_COUNT\nexec ${real} "$@"\n`,
  );
  chmodSync(path.join(beside, "git"), 0o755);
  env = { ...env, PATH: `${beside}:${env["PATH"]}` };
  expect(await compared()).toBe("");
  expect([existsSync(words), existsSync(told)]).toEqual([true, false]);
});
