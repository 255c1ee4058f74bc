import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { listTree } from "../../../src/tree/index.ts";
import { makeTree, seeded } from "./fixture.ts";

function filesByGit(root: string): string[] {
  execFileSync("git", ["init", "-q"], { cwd: root });
  const out = execFileSync("git", ["-c", "core.excludesFile=", "ls-files", "-z", "-co", "--exclude-standard"], {
    cwd: root,
  });
  return out
    .toString()
    .split("\0")
    .filter((file) => file !== "")
    .sort();
}

function filesByUs(root: string): string[] {
  const listing = listTree(root, { gitignore: true, exclude: [".git"] });
  return listing.entries
    .filter((entry) => entry.type !== "directory")
    .map((entry) => entry.path)
    .sort();
}

test("git's rules hold: anchors, folders, exceptions, nested files, info/exclude", () => {
  const root = makeTree({
    ".gitignore": "*.log\n/build\ntmp/\n!keep.log\n**/gen/*.ts\ndoc/**/draft\n\\#odd\nspace \nescaped\\ \n[ab].x\n",
    "a.log": "",
    "keep.log": "",
    "sub/b.log": "",
    "sub/keep.log": "",
    "build/x": "",
    "sub/build/x": "",
    "tmp/x": "",
    "sub/tmp": "",
    "src/gen/a.ts": "",
    "src/gen/a.js": "",
    "doc/draft": "",
    "doc/a/b/draft": "",
    "#odd": "",
    space: "",
    "escaped ": "",
    "a.x": "",
    "c.x": "",
    "sub/.gitignore": "!b.log\nonly\n/anchored\n",
    "sub/only": "",
    "sub/deep/only": "",
    only: "",
    "sub/deep/anchored": "",
    "sub/anchored": "",
    excluded: "",
  });
  execFileSync("git", ["init", "-q"], { cwd: root });
  writeFileSync(path.join(root, ".git/info/exclude"), "excluded\n");
  expect(filesByUs(root)).toEqual(filesByGit(root));
  expect(filesByUs(root)).toContain("sub/b.log");
  expect(filesByUs(root)).not.toContain("excluded");
});

test("rules above the listed folder, up to the git root, hold too", () => {
  const root = makeTree({ ".gitignore": "*.log\n/app/secret\n", "app/a.log": "", "app/secret": "", "app/b.txt": "" });
  mkdirSync(path.join(root, ".git"));
  expect(listTree(path.join(root, "app"), { gitignore: true }).entries.map((entry) => entry.path)).toEqual(["b.txt"]);
});

test("random rules over random trees leave the files that git leaves", () => {
  const segments = ["a", "b", "ab", "x.ts", "y.log", "build", "*", "?b", "*.ts", "**", "[ab]", "[!a]b", "a*"];
  const names = ["a", "b", "ab", "cb", "x.ts", "y.log", "build", "a.ts"];
  for (let seed = 1; seed <= 25; seed++) {
    const random = seeded(seed);
    const pick = <T>(list: T[]): T => list[random(list.length)]!;
    const rules = (): string =>
      Array.from({ length: 1 + random(5) }, () => {
        const body = Array.from({ length: 1 + random(3) }, () => pick(segments)).join("/");
        return `${random(4) === 0 ? "!" : ""}${random(3) === 0 ? "/" : ""}${body}${random(4) === 0 ? "/" : ""}`;
      }).join("\n");
    const tree: Record<string, string> = { ".gitignore": rules() };
    for (let count = 0; count < 40; count++) {
      const file = Array.from({ length: 1 + random(4) }, () => pick(names)).join("/");
      const clash = Object.keys(tree).some((other) => other.startsWith(`${file}/`) || file.startsWith(`${other}/`));
      if (!clash) tree[file] = "";
    }
    if (random(2) === 0 && Object.keys(tree).some((file) => file.startsWith("a/"))) tree["a/.gitignore"] = rules();
    const root = makeTree(tree);
    expect(
      filesByUs(root),
      `seed ${seed}, rules ${JSON.stringify(tree[".gitignore"])} ${JSON.stringify(tree["a/.gitignore"])}`,
    ).toEqual(filesByGit(root));
  }
});
