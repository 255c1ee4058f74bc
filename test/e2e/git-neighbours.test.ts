/** Whatever git command moves the work tree: the watch comes to what is true of the files, and stays nowhere. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { FileProject } from "./file-project.ts";
import type { WatchProcess } from "./loop-project.ts";

let project: FileProject;
const folders: string[] = [];
afterEach(async () => {
  await project.remove();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const target = 'a: { call: "cat --source . --file src/a.txt", inputs: [src/] }';

/** Three commits on main, and one on `topic` that does not go together with them. */
function withHistory(): FileProject {
  project = new FileProject([target], { "src/a.txt": "one" });
  project.commitAll();
  project.git("checkout", "-q", "-b", "topic");
  project.write("src/a.txt", "of the topic");
  project.git("commit", "-q", "-am", "topic");
  project.git("checkout", "-q", "main");
  for (const text of ["two", "three", "four"]) {
    project.write("src/a.txt", text);
    project.git("commit", "-q", "-am", text);
  }
  return project;
}

/** Waits until what the newest passing run read is what the file holds, and nothing runs. */
async function comesToTruth(watch: WatchProcess, what: string): Promise<void> {
  const file = project.at("src/a.txt");
  const truth = existsSync(file) ? readFileSync(file, "utf8").trim() : "";
  await watch.until((events) => {
    if (events.findLastIndex(({ event }) => event === "settled") < 0) return false;
    if (events.at(-1)!.event !== "settled" && events.at(-1)!.event !== "notice") return false;
    const results = events.filter(({ event, outcome }) => event === "finished" && outcome === "passed");
    const restored = events.findLast(({ event }) => event === "restored" || event === "finished");
    const digest = restored?.["digest"];
    return results.some((result) => result["digest"] === digest && result["value"] === truth);
  });
  expect(watch.events.at(-1), what).toBeDefined();
}

/** A command that stops for the user ends with an error. */
function stops(...words: string[]): void {
  expect(() => project.git(...words), words.join(" ")).toThrow();
}

type Step = (() => void) | [string, ...string[]];
const edit =
  (text: string): (() => void) =>
  () =>
    project.write("src/a.txt", text);

test.each<[string, Step[]]>([
  [
    "bisect",
    [
      ["bisect", "start", "HEAD", "HEAD~3"],
      edit("while it bisects"),
      ["checkout", "-q", "src/a.txt"],
      ["bisect", "bad"],
      ["bisect", "reset"],
    ],
  ],
  [
    "stash",
    [edit("to be put away"), ["stash", "-q"], ["stash", "pop", "-q"], ["stash", "-q", "-u"], ["stash", "drop", "-q"]],
  ],
  [
    "a cherry-pick that stops",
    [() => stops("cherry-pick", "topic"), edit("mended"), ["add", "-A"], ["cherry-pick", "--continue"]],
  ],
  ["a merge that stops", [() => stops("merge", "-q", "topic"), edit("merged"), ["add", "-A"], ["merge", "--continue"]]],
  ["a merge that is given up", [() => stops("merge", "-q", "topic"), edit("half"), ["merge", "--abort"]]],
  ["a revert that stops", [() => stops("revert", "--no-edit", "HEAD~2"), edit("reverted"), ["revert", "--abort"]]],
  [
    "am that stops",
    [
      ["format-patch", "-q", "-o", ".git/patches", "-1", "topic"],
      () => stops("am", "-q", "--3way", ".git/patches/0001-topic.patch"),
      edit("by hand"),
      ["am", "--abort"],
    ],
  ],
  [
    "reset",
    [
      ["reset", "-q", "--hard", "HEAD~2"],
      ["reset", "-q", "--hard", "ORIG_HEAD"],
      ["reset", "-q", "--soft", "HEAD~1"],
    ],
  ],
  [
    "switch, restore and rm",
    [
      ["switch", "-q", "topic"],
      ["switch", "-q", "--detach", "main"],
      ["restore", "-s", "HEAD~1", "src"],
    ],
  ],
])("%s", async (_what, steps) => {
  withHistory();
  const watch = project.start("watch");
  await watch.next("settled");
  for (const [index, step] of steps.entries()) {
    if (typeof step === "function") step();
    else project.git(...step);
    await comesToTruth(watch, `step ${index}`);
  }
  await watch.kill("SIGTERM");
  expect((await project.run("plan")).stdout).toMatch(/current {2}a/);
});

describe("a project in", () => {
  const inFolder = (prefix: string): string => {
    const folder = mkdtempSync(path.join(tmpdir(), prefix));
    folders.push(folder);
    return folder;
  };
  const git = (cwd: string, ...words: string[]): void =>
    void execFileSync(
      "git",
      ["-c", "protocol.file.allow=always", "-c", "user.name=t", "-c", "user.email=t@t", ...words],
      {
        cwd,
        stdio: "pipe",
      },
    );

  test("a worktree sees its own commits, and waits for its own index.lock only", async () => {
    withHistory();
    const tree = path.join(inFolder("fastloop-worktree-"), "tree");
    project.git("worktree", "add", "-q", "--detach", tree, "topic");
    const main = project;
    project = new FileProject([], {}, "", tree);
    const watch = project.start("watch");
    await watch.next("settled");
    main.write(".git/index.lock", "");
    project.write("src/a.txt", "saved");
    await comesToTruth(watch, "a save while the main tree is locked");
    rmSync(main.at(".git/index.lock"));
    project.git("checkout", "-q", "-f", "--detach", "main");
    await comesToTruth(watch, "a checkout");
    await watch.kill("SIGTERM");
    await main.remove();
  });

  test("with a submodule sees its update", async () => {
    const library = inFolder("fastloop-library-");
    git(library, "init", "-q", "-b", "main");
    for (const text of ["one", "two"]) {
      execFileSync("sh", ["-c", `printf ${text} > a.txt`], { cwd: library });
      git(library, "add", "-A");
      git(library, "commit", "-q", "-m", text);
    }
    project = new FileProject([target], {});
    git(project.root, "init", "-q", "-b", "main");
    git(project.root, "submodule", "--quiet", "add", library, "src");
    project.commitAll();
    const watch = project.start("watch");
    await watch.next("settled");
    git(project.at("src"), "checkout", "-q", "HEAD~1");
    await comesToTruth(watch, "a checkout in the submodule");
    project.write("src/a.txt", "edited");
    await comesToTruth(watch, "an edit in the submodule");
    git(project.root, "submodule", "--quiet", "update", "--force");
    await comesToTruth(watch, "an update");
  });
});
