import { rmSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { UnreadFiles, type ScannedInput } from "../../../src/plan/index.ts";
import { listTree } from "../../../src/tree/index.ts";
import { makeTree } from "../tree/fixture.ts";

type Given = Pick<ScannedInput, "kind" | "path" | "filter">;
const folder = (at: string, include?: string[]): Given => ({ kind: "directory", path: at, filter: { include } });
const file = (at: string): Given => ({ kind: "file", path: at, filter: {} });

function rig(files: Parameters<typeof makeTree>[0], inputs: readonly Given[], sources: readonly Given[] = []) {
  const root = makeTree({ "src/a.ts": "1", ...files });
  const placed = (items: readonly Given[]): ScannedInput[] =>
    items.map((item) => ({ ...item, path: path.resolve(root, item.path) }));
  const listed: string[] = [];
  const unread = new UnreadFiles(root, placed(inputs), placed(sources), (input) => {
    listed.push(path.relative(root, input.path));
    return listTree(input.path, input.filter).entries;
  });
  const named = (name: string): string | undefined => unread.named(path.join(root, name));
  const beside = (): string[] =>
    unread
      .beside()
      .map((at) => path.relative(root, at))
      .sort();
  return { root, named, beside, listed };
}

test("an edited file that no target reads is named, if targets read files of its kind", () => {
  const { named } = rig({}, [folder("src")]);
  expect([named("lib/b.ts"), named("b.ts")]).toEqual(["lib/b.ts", "b.ts"]);
  expect([named("lib/README.md"), named("Makefile"), named("src.ts/LICENSE")]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

test("a file that a target reads, or that the project is read from, is not named", () => {
  const { named } = rig({ "src/b.txt": "", "one.ts": "" }, [folder("src", ["*.ts"]), file("one.ts")], [file("two.ts")]);
  expect([named("src/new.ts"), named("one.ts"), named("two.ts"), named("src/b.txt")]).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  expect([named("src/deep/new.ts"), named("three.ts")]).toEqual(["src/deep/new.ts", "three.ts"]);
});

test("a file outside the project, of git, or one that git ignores is not named", () => {
  const { named } = rig({ ".gitignore": "out/\n", ".git/HEAD": "" }, [folder("src")]);
  expect([named("../b.ts"), named(".git/b.ts"), named("a/.git/b.ts"), named("out/b.ts")]).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  expect(named(".github/b.ts")).toBe(".github/b.ts");
});

test("of an input that is a file its own kind counts, and where it is a link that of what it leads to", () => {
  const { named, listed } = rig({ "a.json": "{}", link: { link: "real.yaml" }, "real.yaml": "" }, [
    file("a.json"),
    file("link"),
  ]);
  expect([named("b.json"), named("b.yaml"), named("b.ts")]).toEqual(["b.json", "b.yaml", undefined]);
  expect(listed).toEqual([]);
});

test("an input is listed only for a file that passed every other check, and only once", () => {
  const { named, listed } = rig({ ".gitignore": "*.out\n", ".git/HEAD": "" }, [folder("src")]);
  for (const name of ["../b.ts", "src/a.ts", "x.out", "Makefile", ".git/b.ts"]) named(name);
  expect(listed).toEqual([]);
  for (const name of ["b.ts", "c.ts"]) named(name);
  expect(listed).toEqual(["src"]);
});

test("possible unread files are those in folders on the way to an input", () => {
  const files = { "top.ts": "", "pkg/beside.ts": "", "pkg/a/in.ts": "", "pkg/b/other.ts": "", "lib/other.ts": "" };
  const { beside } = rig(files, [folder("pkg/a")]);
  expect(beside()).toEqual(["pkg/beside.ts", "top.ts"]);
});

test("the way to an input leads to where its entries start, which those that take files out do not name", () => {
  const files = { "top.ts": "", "pkg/beside.ts": "", "pkg/a/in.ts": "", "pkg/a/b.txt": "", "lib/other.ts": "" };
  expect(rig(files, [folder(".", ["pkg/a/**/*.ts", "!lib/x/**"])]).beside()).toEqual(["pkg/beside.ts", "top.ts"]);
  expect(rig(files, [folder(".", ["pkg/a/in.ts"])]).beside()).toEqual(["pkg/a/b.txt", "pkg/beside.ts", "top.ts"]);
  expect(rig(files, [folder(".", ["pkg/a/c/**", "lib/x/**"])]).beside()).toEqual([
    "lib/other.ts",
    "pkg/a/b.txt",
    "pkg/a/in.ts",
    "pkg/beside.ts",
    "top.ts",
  ]);
  expect(rig(files, [folder("pkg", ["!a"])]).beside()).toEqual(["top.ts"]);
  expect(rig(files, [file("pkg/a/in.ts")]).beside()).toEqual(["pkg/a/b.txt", "pkg/beside.ts", "top.ts"]);
});

test("nothing above the project is on the way to an input, wherever that is, nor is a folder or a link", () => {
  const { beside, root } = rig({ "project/in.ts": "", "project/x.ts/f": "", "project/link.ts": { link: "in.ts" } }, []);
  const project = path.join(root, "project");
  const of = (at: string, include?: string[]): string[] =>
    new UnreadFiles(project, [{ kind: "directory", path: at, filter: { include } }], [], () => []).beside();
  expect(beside()).toEqual([]);
  const own = [path.join(project, "in.ts")];
  expect([of(path.join(root, "src/deep/er")), of(root, ["src/**"]), of(project, ["src/**"])]).toEqual([own, own, own]);
});

test("folders on the way that are not there have no files", () => {
  const { beside, root } = rig({ "top.ts": "" }, [folder("none/here/at/all")]);
  expect(beside()).toEqual(["top.ts"]);
  rmSync(root, { recursive: true });
  expect(beside()).toEqual([]);
});
