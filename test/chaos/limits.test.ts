/** What a watch does where the system or git stands in its way: real limits of the kernel, real locks, a real engine. */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { cliFile } from "../e2e/cli-process.ts";
import { ChaosProject } from "./project.ts";
import { Watched } from "./watched.ts";

let project: ChaosProject;
let watch: Watched | undefined;

beforeEach(() => {
  project = new ChaosProject();
  // One function on one small folder, and no wait for the others.
  project.write(
    "fastloop.yaml",
    'version: 1\nname: chaos\nwatch:\n  targets:\n    lib: { call: "list --source lib" }\n',
  );
});
afterEach(async () => {
  await watch?.kill("SIGKILL");
  rmSync(project.root, { recursive: true, force: true });
});

const timeoutMs = 120_000;

async function settles(): Promise<void> {
  expect(await watch!.until(() => watch!.settled !== undefined, timeoutMs), watch!.last()).toBe(true);
}

async function said(text: RegExp): Promise<void> {
  expect(await watch!.until(() => watch!.notices.some((notice) => text.test(notice)), timeoutMs), watch!.last()).toBe(
    true,
  );
}

/** A user namespace has limits of its own: nobody else's watches are taken. */
const limited = (file: string, value: number): string[] => [
  "unshare",
  "--user",
  "--map-root-user",
  "sh",
  "-c",
  `echo ${value} > /proc/sys/user/${file} && exec "$@"`,
  "sh",
];
const hasNamespaces = spawnSync("unshare", ["--user", "--map-root-user", "true"]).status === 0;

describe.skipIf(!hasNamespaces)("out of the kernel's", () => {
  test.each([
    ["watches", "max_inotify_watches", 3, /ENOSPC.*sysctl.*polling every 1000 ms/],
    ["watch queues", "max_inotify_instances", 0, /EMFILE.*ulimit.*polling every 1000 ms/],
  ] as const)("%s it polls, says so, and misses nothing", async (_what, file, value, notice) => {
    watch = new Watched(cliFile, project.root, undefined, limited(file, value));
    await said(notice);
    await settles();
    const from = watch.started.length;
    mkdirSync(project.at("lib/new/deep"), { recursive: true });
    writeFileSync(project.at("lib/new/deep/f.txt"), "1");
    expect(await watch.until(() => watch!.started.length > from, timeoutMs)).toBe(true);
    await settles();
  });
});

test("a watch that starts while git holds its lock waits for its end", async () => {
  project.write(".git/index.lock", "");
  watch = new Watched(cliFile, project.root);
  await said(/index\.lock/);
  expect(watch.started).toEqual([]);
  rmSync(project.at(".git/index.lock"));
  await settles();
  expect(watch.started).toEqual(["lib"]);
});

test("a project that is deleted is broken, and goes on where it comes back", async () => {
  watch = new Watched(cliFile, project.root);
  await settles();
  const copy = `${project.root}-copy`;
  cpSync(project.root, copy, { recursive: true });
  // It may write its state once more while this goes on.
  while (existsSync(project.root)) {
    try {
      rmSync(project.root, { recursive: true });
    } catch (error) {
      expect((error as NodeJS.ErrnoException).code).toMatch(/ENOTEMPTY|ENOENT/);
    }
  }
  expect(await watch.until(() => watch!.broken.length > 0, timeoutMs), watch.last()).toBe(true);
  cpSync(copy, project.root, { recursive: true });
  rmSync(copy, { recursive: true });
  await settles();
  const from = watch.started.length;
  project.write("lib/after.txt", "1");
  expect(await watch.until(() => watch!.started.length > from, timeoutMs), watch.last()).toBe(true);
});

test("a checkout of 5,000 files is one run, and there and back is none", { timeout: 600_000 }, async () => {
  for (const branch of ["main", "other"]) {
    project.git("checkout", "-q", branch);
    for (let file = 0; file < 5000; file++) project.write(`lib/d${file % 50}/f${file}.txt`, `${branch} ${file}\n`);
    project.git("add", "-A");
    project.git("commit", "-q", "-m", "many");
  }
  watch = new Watched(cliFile, project.root);
  await settles();
  const before = watch.settledTimes;
  const from = watch.started.length;
  project.git("checkout", "-q", "main");
  expect(
    await watch.until(() => watch!.started.length > from && watch!.settled !== undefined, timeoutMs),
    watch.last(),
  ).toBe(true);
  expect(watch.started.slice(from)).toEqual(["lib"]);
  // Both states have passed: what there is to see is that everything was looked at, and nothing started.
  project.git("checkout", "-q", "other");
  project.git("checkout", "-q", "main");
  const looked = watch.settledTimes;
  expect(looked).toBeGreaterThan(before);
  expect(await watch.until(() => watch!.settledTimes > looked, timeoutMs), watch.last()).toBe(true);
  expect(watch.started.slice(from)).toEqual(["lib"]);
});
