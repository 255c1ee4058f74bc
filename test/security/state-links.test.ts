/** A repository that commits links in the place of the state, or of a part of it. */
import { execFileSync } from "node:child_process";
import { linkSync, lstatSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { bug, HostileProject, questions } from "./hostile-project.ts";

let project: HostileProject;
beforeEach(() => {
  project = new HostileProject();
});
afterEach(() => project.remove());

const home = "../../home";

/** What is in the clone -> what is said. */
const cases: [string, (root: string) => void, RegExp][] = [
  [
    "the folder",
    (root) => symlinkSync("../home/projects", path.join(root, ".fastloop")),
    /\.fastloop: is (?:a symbolic link|tracked)/,
  ],
  [
    "runs and calls",
    (root) => {
      mkdirSync(path.join(root, ".fastloop"));
      symlinkSync(`${home}/.docker`, path.join(root, ".fastloop/runs"));
      symlinkSync(`${home}/projects`, path.join(root, ".fastloop/calls"));
    },
    /\.fastloop(?:\/\w+)?: is (?:a symbolic link|tracked)/,
  ],
  [
    "manifests",
    (root) => {
      mkdirSync(path.join(root, ".fastloop"));
      symlinkSync(`${home}/.ssh`, path.join(root, ".fastloop/manifests"));
    },
    /\.fastloop(?:\/\w+)?: is (?:a symbolic link|tracked)/,
  ],
  [
    "a folder above the home, absolute",
    (root) => {
      mkdirSync(path.join(root, ".fastloop"));
      symlinkSync(path.join(root, "../home"), path.join(root, ".fastloop/runs"));
    },
    /\.fastloop(?:\/\w+)?: is (?:a symbolic link|tracked)/,
  ],
];

test.each(cases)(
  "a link in the place of %s: questions are answered, run says what to do, the user's files stay",
  async (what, make, says) => {
    make(project.root);
    project.commit();
    const before = project.precious();
    // As a clone, and as an archive without the history.
    const archive = project.copy();
    execFileSync("rm", ["-r", path.join(archive, ".git")]);
    for (const folder of [project.clone(), archive]) {
      // All of them where the folders of a plan and of a call are links; the others have the same door.
      for (const words of what === "runs and calls" && folder !== archive ? questions : questions.slice(0, 1)) {
        const result = await project.run(words, folder);
        expect(result, words.join(" ")).toMatchObject({ exitCode: 0, stderr: expect.not.stringMatching(bug) });
        expect(result.stdout, words.join(" ")).not.toBe("");
        expect(project.precious(), words.join(" ")).toEqual(before);
      }
      expect((await project.run(["plan"], folder)).stderr.match(new RegExp(says, "g"))).toHaveLength(1);
      for (const words of folder === archive ? [["run", "ok"]] : [["run", "ok"], ["watch"]]) {
        const result = await project.run(words, folder);
        expect(result).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(says) });
        expect(result.stderr).toMatch(/^hint: (?:remove it: rm |git rm -r --cached )/m);
      }
      // A call needs no state.
      expect(await project.run(["call", "kept"], folder)).toMatchObject({
        exitCode: 0,
        stdout: expect.stringMatching(/^kept/),
        stderr: expect.stringMatching(says),
      });
      expect(project.precious()).toEqual(before);
    }
  },
  600_000,
);

test("links, pipes and second names in the place of files are replaced, and what they led to stays", async () => {
  expect(await project.run(["run", "ok"])).toMatchObject({ exitCode: 0 });
  const before = project.precious();
  const state = project.at(".fastloop");
  const precious = path.join(project.top, "home/.ssh/hashes");
  const damages: ((file: string) => void)[] = [
    (file) => symlinkSync(precious, file),
    (file) => linkSync(precious, file),
    (file) => execFileSync("mkfifo", [file]),
    (file) => symlinkSync("/dev/zero", file),
    (file) => symlinkSync(file, file),
  ];
  for (const damage of damages) {
    for (const name of ["hashes", "config.json", ...project.records().map((record) => `runs/${record}`), "lock"]) {
      execFileSync("rm", ["-rf", path.join(state, name)]);
      damage(path.join(state, name));
    }
    const plan = await project.run(["plan"]);
    expect(plan).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^run +ok/m),
      stderr: expect.not.stringMatching(bug),
    });
    expect(await project.run(["run", "ok"])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining("1 passed"),
    });
    expect((await project.run(["plan"])).stderr).toBe("");
    expect(["hashes", "config.json"].map((name) => lstatSync(path.join(state, name)).isFile())).toEqual([true, true]);
  }
  expect(project.precious()).toEqual(before);
}, 600_000);

test("a state that git tracks as a submodule or with a single file is refused; one in a parent folder is nobody's", async () => {
  project.commit();
  const inner = project.copy();
  project.git("submodule", "add", "-q", "--force", inner, ".fastloop");
  expect(await project.run(["run", "ok"])).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining("is tracked by git"),
  });
  project.git("rm", "-rqf", "--cached", ".fastloop");
  writeFileSync(path.join(project.top, "fastloop.yaml"), "version: 1\n");
  mkdirSync(path.join(project.top, ".fastloop"));
  symlinkSync("../home/.ssh", path.join(project.top, ".fastloop/runs"));
  const before = project.precious();
  expect((await project.run(["run", "ok"])).exitCode).toBe(0);
  expect(project.precious()).toEqual(before);
});

test("whichever command makes the state, git does not see it", async () => {
  project.commit();
  for (const words of [["plan"], ["run", "ok"], ["call", "kept"], ["watches"]]) {
    execFileSync("rm", ["-rf", project.at(".fastloop")]);
    expect((await project.run(words)).exitCode).toBe(0);
    expect(readdirSync(project.at(".fastloop")).length, words[0]).toBeGreaterThan(1);
    expect(readFileSync(project.at(".fastloop/.gitignore"), "utf8")).toBe("*\n");
    expect(project.git("status", "--porcelain")).toBe("");
  }
});
