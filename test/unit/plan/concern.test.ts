import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { concernOf, resolveTargets, type ResolvedTarget, type TargetInput } from "../../../src/plan/index.ts";
import type { ScannedInput } from "../../../src/plan/index.ts";
import { Concern } from "../../../src/plan/scan/concern.ts";
import { makeTree } from "../tree/fixture.ts";
import { configAt, moduleAt } from "./fixture.ts";

function rig(files: Parameters<typeof makeTree>[0], inputs: readonly ScannedInput[], links: readonly string[] = []) {
  const root = makeTree(files);
  const folders = new Set<string>();
  const found = inputs.map((input) => ({ input, real: path.join(root, input.path) }));
  const concern = new Concern(
    found,
    links.map((link) => path.join(root, link)),
    (at) => folders.has(path.relative(root, at)),
  );
  return { root, folders, covers: (name: string): boolean => concern.covers(path.join(root, name)) };
}

const directory = (at: string, filter: ScannedInput["filter"] = {}): ScannedInput => ({
  kind: "directory",
  path: at,
  filter,
});

test("files that an input selects concern it, existing or not, and others in its folder do not", () => {
  const { covers } = rig({ "a/x.ts": "1", "a/x.md": "1", "b/x.ts": "1" }, [directory("a", { include: ["**/*.ts"] })]);
  expect([covers("a/x.ts"), covers("a/new.ts"), covers("a/deep/new.ts")]).toEqual([true, true, true]);
  expect([covers("a/x.md"), covers("a/new.md"), covers("b/x.ts"), covers("ab/x.ts")]).toEqual([
    false,
    false,
    false,
    false,
  ]);
});

test("every ignore file concerns the inputs, wherever it is", () => {
  const { covers } = rig({}, [directory("a", { include: ["*.ts"] })]);
  expect([covers(".gitignore"), covers("b/c/.gitignore"), covers("b/x.gitignore")]).toEqual([true, true, false]);
});

test("an input itself and everything on the way to it concern it, and so do the links to it", () => {
  const { covers } = rig(
    {},
    [directory("a/b/c", { include: ["*.ts"] }), { kind: "file", path: "d/one", filter: {} }],
    ["links/to/it"],
  );
  const ways = ["", "a", "a/b", "a/b/c", "d", "d/one", "links", "links/to", "links/to/it"];
  expect(ways.filter((way) => !covers(way))).toEqual([]);
  expect([covers("a/bc"), covers("d/two"), covers("d/one/x"), covers("links/to/it/x")]).toEqual([
    false,
    false,
    false,
    false,
  ]);
});

test("a folder or a link that may hold what an input selects concerns it, and a file of that name does not", () => {
  const { root, covers } = rig({ "a/folder": null, "a/file": "1", "a/out": null, "b/folder": null }, [
    directory("a", { include: ["**/*.ts"], exclude: ["out"] }),
  ]);
  symlinkSync("folder", path.join(root, "a/link"));
  mkdirSync(path.join(root, "ax"));
  expect([covers("a/folder"), covers("a/link")]).toEqual([true, true]);
  expect([covers("a/file"), covers("a/none"), covers("a/out"), covers("b/folder"), covers("ax")]).toEqual([
    false,
    false,
    false,
    false,
    false,
  ]);
});

test("a folder that went concerns an input, if the last scan found it there", () => {
  const { folders, covers } = rig({}, [directory("a", { include: ["**/*.ts"] })]);
  expect(covers("a/gone")).toBe(false);
  folders.add("a/gone").add("b/gone");
  expect([covers("a/gone"), covers("b/gone")]).toEqual([true, false]);
});

test("only one of many inputs has to be concerned", () => {
  const { root, covers } = rig({ "b/folder": null }, [
    { kind: "file", path: "one", filter: {} },
    directory("a", { include: ["**/*.ts"] }),
    directory("b", { include: ["**/*.md"] }),
  ]);
  writeFileSync(path.join(root, "b/folder/x.md"), "");
  expect([covers("b/folder"), covers("b/folder/x.md"), covers("a/x.ts")]).toEqual([true, true, true]);
  expect([covers("b/folder/x.ts"), covers("a/x.md")]).toEqual([false, false]);
});

test("the answer for a path stays the same, however often and after however many others it is asked for", () => {
  const { covers } = rig({}, [directory("a", { include: ["**/*.ts"] })]);
  const ask = (): boolean[] => [covers("a/x.ts"), covers("a/x.md")];
  expect([ask(), ask()]).toEqual([
    [true, false],
    [true, false],
  ]);
  for (let index = 0; index < 10_001; index++) covers(`a/${index}.md`);
  expect(ask()).toEqual([true, false]);
});

test("the whole file system may be an input", () => {
  const input = directory("/", { include: ["none-such/*.ts"] });
  const concern = new Concern([{ input, real: "/" }], [], () => false);
  expect([concern.covers("/none-such/x.ts"), concern.covers("/none-such/x.md")]).toEqual([true, false]);
});

function targetOf(root: string, inputs?: string[]): ResolvedTarget {
  const config = configAt(root, { one: { call: "test --source . --part x", inputs } });
  return resolveTargets(config, moduleAt(root))[0]!;
}

test("of a tree that is sent as it is hashed every file concerns the target", () => {
  const root = makeTree({ "src/x": "1" });
  const item = targetOf(root);
  expect(concernOf(item, item.inputs[0]!)).toBe(undefined);
});

test("of a tree that is sent only files that are inputs concern the target, by their paths in that tree", () => {
  const root = makeTree({ "src/x": "1", "docs/x": "1" });
  const item = targetOf(root, ["src/", "one.txt"]);
  const concerns = concernOf(item, item.sent[0]!)!;
  expect(["src/x", "src/new", "one.txt", "docs/x", "two.txt"].map(concerns)).toEqual([true, true, true, false, false]);
  expect(concerns("src/x")).toBe(true);
});

test("a sent tree with another filter than an input of the same folder is not the same", () => {
  const root = makeTree({ "src/x": "1", link: { link: "src" } });
  const item = targetOf(root, ["src/"]);
  const input: TargetInput = { argument: "source", kind: "directory", path: path.join(root, "src"), filter: {} };
  const of = (inputs: TargetInput[], sent: TargetInput): ReturnType<typeof concernOf> =>
    concernOf({ ...item, inputs }, sent);
  expect(of([input], { ...input, argument: "other" })).toBe(undefined);
  expect(of([input], { ...input, filter: { exclude: ["y"] } })!("x")).toBe(true);
  expect(of([{ ...input, filter: { exclude: ["x"] } }, input], input)).toBe(undefined);
  expect(of([{ ...input, filter: { exclude: ["x"] } }], input)!("x")).toBe(false);
  expect(of([input], { ...input, path: root })!("src/x")).toBe(true);
  // A tree that is sent from a link is the folder that the link leads to.
  expect(of([input], { ...input, path: path.join(root, "link") })!("x")).toBe(true);
});
