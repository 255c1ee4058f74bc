/** State that is damaged, and places where none can be kept. */
import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { afterEach, beforeEach, expect, test } from "vitest";
import { cliFile } from "../e2e/cli-process.ts";
import { bug, HostileProject } from "./hostile-project.ts";

let project: HostileProject;
beforeEach(() => {
  project = new HostileProject();
});
afterEach(() => project.remove());

/** The CLI behind a shell script that prepares its world in a mount namespace of its own; `$1` is the project. */
function prepared(
  script: string,
  words: readonly string[],
  env: NodeJS.ProcessEnv = {},
  as = "",
): Promise<{ exitCode: number; said: string }> {
  return new Promise((resolve) => {
    const shell = `cd "$1"; ${script}; shift; exec ${as} "$@" 2>&1`;
    execFile(
      "unshare",
      ["-m", "sh", "-c", shell, "sh", project.root, process.execPath, cliFile, ...words],
      { env: { ...process.env, ...env }, encoding: "utf8" },
      (error, stdout, stderr) => resolve({ exitCode: error === null ? 0 : Number(error.code), said: stdout + stderr }),
    );
  });
}

const asRoot = test.runIf(process.platform === "linux" && process.getuid?.() === 0);

test("whatever lies in the place of a file of state, a plan and a run answer, and the run mends it", async () => {
  await project.run(["run", "ok"]);
  const state = project.at(".fastloop");
  const files = (): string[] =>
    readdirSync(state, { recursive: true, encoding: "utf8" }).filter(
      (name) => statSync(path.join(state, name)).isFile() && name !== ".gitignore",
    );
  const damages: [string, (file: string) => void][] = [
    ["nothing", (file) => writeFileSync(file, "")],
    ["garbage", (file) => writeFileSync(file, "\0garbage\n".repeat(20))],
    ["a part", (file) => writeFileSync(file, readFileSync(file).subarray(0, 50))],
    ["the half", (file) => writeFileSync(file, readFileSync(file).subarray(0, statSync(file).size / 2))],
    ["other JSON", (file) => writeFileSync(file, '{"pid":"x","version":1,"mac":""}')],
    ["a folder", (file) => mkdirSync(file)],
  ];
  for (const [what, damage] of damages) {
    expect(files().length).toBeGreaterThan(3);
    for (const name of [...files(), "lock"]) {
      const file = path.join(state, name);
      if (what === "a folder") rmSync(file, { force: true });
      else if (name === "lock") writeFileSync(file, "{}");
      damage(file);
    }
    const plan = await project.run(["plan"]);
    expect(plan, what).toMatchObject({ exitCode: 0, stderr: expect.not.stringMatching(bug) });
    expect(plan.stdout, what).toMatch(/^run +ok/m);
    const run = await project.run(["run", "ok"]);
    expect(run, what).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("1 passed") });
    expect(await project.run(["plan"]), what).toMatchObject({
      stdout: expect.stringMatching(/^current +ok/m),
      stderr: "",
    });
  }
}, 600_000);

test("what is in the way of the state itself is named, and what to do", async () => {
  project.write(".fastloop", "file");
  expect(await project.run(["plan"])).toMatchObject({
    exitCode: 0,
    stderr: expect.stringContaining("is not a folder"),
  });
  expect(await project.run(["run", "ok"])).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(/is not a folder.*\nhint: remove it/),
  });
  rmSync(project.at(".fastloop"));
  project.write(".fastloop/lock/mine", "");
  expect(await project.run(["run", "ok"])).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(/lock: is a folder with something in it.*\nhint: remove it/),
  });
});

test("the lock of a process that is gone, or that only has the same number, holds nobody up", async () => {
  for (const holder of [
    { pid: 2 ** 22 + 1, startTicks: "1" },
    { pid: process.pid, startTicks: "1" },
    { pid: 1, startTicks: "999999999" },
    { pid: -1, startTicks: "" },
    { pid: "1" },
    null,
  ]) {
    project.write(".fastloop/lock", JSON.stringify(holder && { command: "fastloop run", since: "", ...holder }));
    expect(await project.run(["run", "ok", "--force"]), JSON.stringify(holder)).toMatchObject({ exitCode: 0 });
  }
});

asRoot(
  "on a full disk, and on one that is read-only, functions run, and that nothing is kept is said once",
  async () => {
    const worlds = {
      ENOSPC:
        "mkdir -p .fastloop; mount -t tmpfs -o size=64k tmpfs .fastloop; head -c 65536 /dev/zero > .fastloop/fill 2>/dev/null",
      EROFS: 'mount --bind "$1" "$1"; mount -o remount,ro,bind "$1"; cd "$1"',
    };
    for (const [code, script] of Object.entries(worlds)) {
      for (const [words, exitCode, answer] of [
        [["plan"], 0, /^run +ok/m],
        [["run", "ok"], 0, /1 passed/],
        [["run", "bad"], 1, /the tests fail/],
        [["call", "kept"], 0, /kept/],
        [["why", "ok"], 0, /never run here/],
      ] as const) {
        const result = await prepared(script, words);
        expect(result, `${code} ${words.join(" ")}`).toMatchObject({ exitCode, said: expect.stringMatching(answer) });
        expect(result.said).not.toMatch(bug);
        expect(
          result.said.match(new RegExp(`nothing can be written to .*\\.fastloop \\(${code}\\)`, "g"))?.length ?? 0,
        ).toBeLessThanOrEqual(1);
        if (words[0] === "run") expect(result.said).toContain(`(${code})`);
      }
    }
  },
  600_000,
);

asRoot("an engine whose state folder is full says so in one sentence", async () => {
  for (const size of ["4k", "16k", "300k"]) {
    const state = path.join(project.top, `state-${size}`);
    mkdirSync(state);
    const result = await prepared(`mount -t tmpfs -o size=${size} tmpfs '${state}'`, ["call", "kept"], {
      XDG_STATE_HOME: state,
    });
    expect(result, size).toMatchObject({
      exitCode: 3,
      said: expect.stringMatching(/its disk is full \(\d+ KiB are free\)\nhint: /),
    });
    expect(result.said).not.toMatch(bug);
  }
});

asRoot("an ordinary user whose state is root's, or unreadable, gets answers", async () => {
  await project.run(["run", "ok"]);
  chmodSync(project.top, 0o755);
  const home = path.join(project.top, "home-of-user");
  mkdirSync(home);
  chmodSync(home, 0o777);
  const env = { HOME: home, XDG_STATE_HOME: path.join(home, "state"), XDG_CACHE_HOME: path.join(home, "cache") };
  for (const words of [["plan"], ["why", "ok"]]) {
    const result = await prepared(
      "chmod -R go-rwx .fastloop",
      words,
      env,
      "setpriv --reuid 65534 --regid 65534 --clear-groups",
    );
    expect(result, words.join(" ")).toMatchObject({ exitCode: 0, said: expect.stringMatching(/never run here/) });
    expect(result.said).toMatch(/nothing can be read from .*\.fastloop \(EACCES\)/);
    expect(result.said).not.toMatch(bug);
  }
});
