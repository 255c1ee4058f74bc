import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { listTree, PathTest, ruleFiles } from "../../../src/tree/index.ts";
import { TrackedFiles } from "../../../src/tree/git/git-index.ts";
import { makeTree } from "./fixture.ts";

let home: string;
beforeEach(() => {
  home = makeTree({ ".keep": "" });
  vi.stubEnv("HOME", home);
  vi.stubEnv("XDG_CONFIG_HOME", "");
});
afterEach(() => vi.unstubAllEnvs());

function git(root: string, ...words: string[]): string {
  const identity = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "protocol.file.allow=always"];
  return execFileSync("git", [...identity, ...words], {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
}

function filesOf(root: string): string[] {
  const { entries } = listTree(root, { leaveOut: "ignored", exclude: ["**/.git"] });
  return entries.filter((entry) => entry.type !== "directory").map((entry) => entry.path);
}

/** What git would call the project's: all that is tracked, and what is new and not ignored. */
function filesByGit(root: string): string[] {
  return [...new Set(git(root, "ls-files", "-z", "-co", "--exclude-standard").split("\0"))]
    .filter((file) => file !== "")
    .sort();
}

test.each([2, 3, 4])("what git tracks counts whatever a rule says, with an index of version %d", (version) => {
  const root = makeTree({
    ".gitignore": "*.local\nbuild/\nnode_modules/\n",
    "cfg/a.local": "1",
    "cfg/b.local": "1",
    "build/kept/x": "1",
    "build/y": "1",
    "vendor/node_modules/left/index.js": "1",
    "node_modules/z": "1",
    "src/ünï.local": "1",
    "src/a.ts": "1",
  });
  git(root, "init", "-q");
  git(root, "config", "index.version", String(version));
  git(root, "add", "-f", "cfg/a.local", "build/kept/x", "vendor/node_modules/left/index.js", "src/ünï.local");
  if (version === 3) git(root, "add", "-N", "src/a.ts");
  git(root, "update-index", "--index-version", String(version));
  expect(filesOf(root).sort()).toEqual(filesByGit(root));
  expect(filesOf(root)).toEqual(
    expect.arrayContaining(["cfg/a.local", "build/kept/x", "vendor/node_modules/left/index.js", "src/ünï.local"]),
  );
  expect(filesOf(root)).not.toContain("cfg/b.local");
  const single = new PathTest(root, { leaveOut: "ignored" });
  for (const file of ["cfg/a.local", "cfg/b.local", "build/kept/x", "build/y", "node_modules/z", "src/a.ts"]) {
    expect(single.selects(file), file).toBe(filesOf(root).includes(file));
  }
});

test("a split index and one of SHA-256 are read, a damaged one tracks nothing", () => {
  const root = makeTree({ ".gitignore": "*.local\n", "a.local": "1", "b.local": "1" });
  git(root, "init", "-q", "--object-format=sha256");
  git(root, "add", "-f", "a.local");
  expect(TrackedFiles.of(root).has("a.local")).toBe(true);
  git(root, "update-index", "--split-index");
  git(root, "add", "-f", "b.local");
  expect([TrackedFiles.of(root).has("a.local"), TrackedFiles.of(root).has("b.local")]).toEqual([true, true]);
  writeFileSync(path.join(root, ".git/index"), "DIRC\0\0\0\u0002\0\0\u0009\0damaged");
  expect(TrackedFiles.of(root).has("a.local")).toBe(false);
});

test("a submodule and a worktree have rules and an index of their own", () => {
  const inner = makeTree({ "x.log": "1", "y.log": "1", ".gitignore": "y.log\n" });
  git(inner, "init", "-q");
  git(inner, "add", "-A");
  git(inner, "commit", "-q", "-m", "inner");
  const root = makeTree({ ".gitignore": "*.log\nsub/z\n", "a.log": "1" });
  git(root, "init", "-q");
  git(root, "submodule", "--quiet", "add", inner, "sub");
  writeFileSync(path.join(root, "sub/y.log"), "1");
  writeFileSync(path.join(root, "sub/z"), "1");
  expect(filesOf(root)).toEqual([".gitignore", ".gitmodules", "sub/.gitignore", "sub/x.log", "sub/z"]);
  git(root, "add", "-f", "a.log");
  git(root, "commit", "-q", "-m", "outer");
  const tree = path.join(makeTree({ ".keep": "" }), "tree");
  git(root, "worktree", "add", "-q", tree);
  expect(filesOf(tree)).toEqual([".gitmodules", "a.log"]);
});

test("the user's global excludes are left out, wherever the configuration says that they are; the project's own rules win", () => {
  const root = makeTree({ "a.tmp": "1", "b.mine": "1", "c.ts": "1", ".gitignore": "!a.tmp\n" });
  git(root, "init", "-q");
  mkdirSync(path.join(home, ".config/git"), { recursive: true });
  writeFileSync(path.join(home, ".config/git/ignore"), "*.tmp\n*.mine\n");
  expect(filesOf(root)).toEqual([".gitignore", "a.tmp", "c.ts"]);
  writeFileSync(path.join(home, "elsewhere"), "c.*\n");
  writeFileSync(path.join(home, ".gitconfig"), "[include]\n  path = more\n");
  writeFileSync(path.join(home, "more"), "[core]\n  excludesFile = ~/elsewhere\n");
  expect(filesOf(root)).toEqual([".gitignore", "a.tmp", "b.mine"]);
  expect(ruleFiles(path.join(root, "sub/deep"))).toEqual([
    path.join(home, "elsewhere"),
    path.join(home, ".gitconfig"),
    path.join(home, ".config/git/config"),
    path.join(root, ".git/config"),
    path.join(root, ".git/info/exclude"),
    path.join(root, "sub/.gitignore"),
    path.join(root, ".gitignore"),
  ]);
});

test("a configuration that names another file for them holds at once", () => {
  const root = makeTree({ "a.tmp": "1", "b.mine": "1" });
  git(root, "init", "-q");
  for (const [pattern, left] of [
    ["*.tmp", ["b.mine"]],
    ["*.mine", ["a.tmp"]],
  ] as const) {
    writeFileSync(path.join(home, `excludes-${pattern.slice(2)}`), `${pattern}\n`);
    writeFileSync(path.join(home, ".gitconfig"), `[core]\n  excludesFile = ~/excludes-${pattern.slice(2)}\n`);
    expect(filesOf(root)).toEqual(left);
  }
});

test("what editors leave beside files is left out, unless the project says otherwise", () => {
  const leftovers = [
    ".a.ts.swp",
    ".a.ts.swo",
    "a.ts~",
    ".#a.ts",
    "#a.ts#",
    "a.ts___jb_tmp___",
    ".a.ts.swx",
    ".a.ts.swpx",
    "4913",
    "~$a.docx",
    "a.ts.crswap",
    ".nfs000000000000002a00000001",
    ".fuse_hidden0000002a00000001",
    ".goutputstream-ABC",
    ".~lock.a.odt#",
    ".DS_Store",
  ];
  const root = makeTree(Object.fromEntries(["a.ts", "b.swp", ...leftovers].map((name) => [`src/${name}`, "1"])));
  expect(filesOf(root)).toEqual(["src/a.ts", "src/b.swp"]);
  writeFileSync(path.join(root, ".gitignore"), "!*~\n");
  expect(filesOf(root)).toEqual([".gitignore", "src/a.ts", "src/a.ts~", "src/b.swp"]);
  rmSync(path.join(root, ".gitignore"));
  symlinkSync("somebody@host.1234", path.join(root, "src/.#b.ts"));
  expect(filesOf(root)).toEqual(["src/a.ts", "src/b.swp"]);
});

test("who names no inputs reads all but what is the user's own: editors' files and global excludes", () => {
  const root = makeTree({
    ".gitignore": "*.log\nbuild/\n*.swp\n!keep.mine\n",
    "a.ts": "1",
    "a.log": "1",
    "build/x": "1",
    "node_modules/y": "1",
    ".a.ts.swp": "1",
    "a.ts~": "1",
    "b.mine": "1",
    "keep.mine": "1",
    "tracked.mine": "1",
    ".idea/deep/w.xml": "1",
    ".idea/kept.xml": "1",
  });
  git(root, "init", "-q");
  mkdirSync(path.join(home, ".config/git"), { recursive: true });
  writeFileSync(path.join(home, ".config/git/ignore"), "*.mine\n.idea/\n");
  git(root, "add", "-f", "tracked.mine", ".idea/kept.xml");
  const listed = listTree(root, { leaveOut: "personal", exclude: ["**/.git"] })
    .entries.filter((entry) => entry.type !== "directory")
    .map((entry) => entry.path);
  expect(listed.sort()).toEqual(
    [".gitignore", ".idea/kept.xml", "a.log", "a.ts", "build/x", "keep.mine", "node_modules/y", "tracked.mine"].sort(),
  );
  const single = new PathTest(root, { leaveOut: "personal", exclude: ["**/.git"] });
  for (const file of [
    "a.log",
    "build/x",
    ".a.ts.swp",
    "a.ts~",
    "b.mine",
    "keep.mine",
    "tracked.mine",
    ".idea/deep/w.xml",
  ])
    expect(single.selects(file), file).toBe(listed.includes(file));
  writeFileSync(path.join(root, ".gitignore"), "!*~\n");
  expect(new PathTest(root, { leaveOut: "personal" }).selects("a.ts~")).toBe(true);
});
