import { execFileSync } from "node:child_process";
import { rmSync, symlinkSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import type { ScannedInput } from "../../../src/plan/index.ts";
import { Arrangement, keyOf } from "../../../src/plan/scan/arrangement.ts";
import { makeTree } from "../tree/fixture.ts";

const folder = (...at: string[]): ScannedInput => ({ kind: "directory", path: path.join(...at), filter: {} });
const file = (...at: string[]): ScannedInput => ({ kind: "file", path: path.join(...at), filter: {} });
const arrange = (inputs: ScannedInput[], carried: ScannedInput[] = []): Arrangement =>
  new Arrangement(inputs, carried, (input) => input.filter);
const rootsOf = ({ walks }: Arrangement): string[] => walks.map(({ root }) => root);

test("nested inputs share the walk of the outermost, and each is placed in it by its path", () => {
  const root = makeTree({ "a/b/x": "1", "a/c": null, "ab/y": "1" });
  const inputs = [folder(root, "a/b"), folder(root, "a"), folder(root, "ab"), file(root, "a/b/x"), file(root, "ab/y")];
  const arrangement = arrange(inputs);
  const [a, ab] = [path.join(root, "a"), path.join(root, "ab")];
  expect(rootsOf(arrangement).sort()).toEqual([a, ab]);
  const placed = inputs.map((input) => arrangement.placeOf(input));
  expect(placed.map(({ root: walk, path: at }) => [rootsOf(arrangement)[walk], at])).toEqual([
    [a, "b"],
    [a, ""],
    [ab, ""],
    [a, "b/x"],
    [ab, "y"],
  ]);
  const inA = placed.filter(({ root: walk }) => rootsOf(arrangement)[walk] === a).map(({ selection }) => selection);
  expect(inA).toEqual([0, 1, 2]);
});

test("a file is scanned in its folder", () => {
  const root = makeTree({ "a/x": "1" });
  const arrangement = arrange([file(root, "a/x")]);
  expect(rootsOf(arrangement)).toEqual([path.join(root, "a")]);
  expect(arrangement.placeOf(file(root, "a/x"))).toMatchObject({ path: "x", counts: true });
});

test("equal inputs share one selection, and it counts unless all of them are only sent along", () => {
  const root = makeTree({ "a/x": "1", "b/x": "1" });
  const [a, b] = [folder(root, "a"), folder(root, "b")];
  const arrangement = arrange([a, { ...a }], [{ ...a }, b, { ...b }]);
  expect([...arrangement.places.values()].map(({ counts, selection }) => [counts, selection])).toEqual([
    [true, 0],
    [false, 0],
  ]);
});

test("inputs are the same to a walk only with the same kind, path, filter and question", () => {
  const base = folder("/a");
  const filters: ScannedInput["filter"][] = [
    { include: ["x"] },
    { exclude: ["x"] },
    { gitignore: true },
    { leaveOut: "personal" },
    { leaveOut: "ignored" },
  ];
  const different = [base, file("/a"), folder("/b"), { ...base, presence: true as const }].concat(
    filters.map((filter) => ({ ...base, filter })),
  );
  expect(new Set(different.map(keyOf)).size).toBe(different.length);
  expect(keyOf({ ...base, filter: { include: [], exclude: [], gitignore: false } })).toBe(keyOf(base));
  expect(keyOf(base)).toBe(keyOf(base));
});

test("links on the way to an input are known with what they lead to, and every file, as it may become one", () => {
  const root = makeTree({ "real/x": "1", folder: { link: "real" }, link: { link: "real/x" }, "plain/y": "1" });
  const at = (name: string): string => path.join(root, name);
  const arrangement = arrange([
    folder(root, "folder"),
    folder(root, "plain"),
    file(root, "link"),
    file(root, "folder/x"),
  ]);
  expect(Object.fromEntries(arrangement.links)).toEqual({
    [at("folder")]: at("real"),
    [at("link")]: at("real/x"),
    [at("real/x")]: at("real/x"),
  });
  expect(arrange([folder(root, "plain")]).links.size).toBe(0);
  expect(arrangement.placeOf(file(root, "link"))).toEqual(
    expect.objectContaining({ path: path.relative(rootsOf(arrangement)[0]!, at("real/x")) }),
  );
});

test("a link that leads elsewhere is told, of those that were hinted if any were", () => {
  const root = makeTree({ "one/x": "1", two: null, link: { link: "one" }, other: { link: "one" } });
  const arrangement = arrange([folder(root, "link"), folder(root, "other"), file(root, "one/x")]);
  const link = path.join(root, "link");
  expect(arrangement.hasMovedLink()).toBe(false);
  rmSync(link);
  symlinkSync("two", link);
  expect(arrangement.hasMovedLink()).toBe(true);
  expect(arrangement.hasMovedLink(new Set([path.join(root, "other")]))).toBe(false);
  expect(arrangement.hasMovedLink(new Set([path.join(root, "other"), link]))).toBe(true);
  expect(arrangement.hasMovedLink(new Set())).toBe(false);
});

test("ignore files outside of the walks are known, for inputs that leave out what they name", () => {
  const root = makeTree({ "project/a/x": "1" });
  const project = path.join(root, "project");
  execFileSync("git", ["init", "-q"], { cwd: project });
  const a = folder(project, "a");
  expect([...arrange([a]).rules]).toEqual([]);
  const rules = [...arrange([{ ...a, filter: { leaveOut: "ignored" } }]).rules];
  expect(rules).toContain(path.join(project, ".gitignore"));
  expect(rules).toContain(path.join(project, ".git/info/exclude"));
});

test("what is scanned is identified by the folders, the places, the links and the ignore files", () => {
  const root = makeTree({ "a/x": "1", "b/x": "1", link: { link: "a" }, "git/c/x": "1" });
  execFileSync("git", ["init", "-q"], { cwd: path.join(root, "git") });
  const key = (inputs: ScannedInput[], carried?: ScannedInput[]): string =>
    JSON.stringify(arrange(inputs, carried).key);
  const [a, b, link] = [folder(root, "a"), folder(root, "b"), folder(root, "link")];
  const c = folder(root, "git/c");
  const inGit = (leaveOut: "ignored" | "personal"): ScannedInput => ({ ...c, filter: { leaveOut } });
  const before = key([link]);
  expect(key([{ ...link }])).toBe(before);
  const keys = [key([a]), key([b]), key([a, b]), before, key([a], [b]), key([c]), key([inGit("ignored")]), key([])];
  rmSync(path.join(root, "link"));
  symlinkSync("b", path.join(root, "link"));
  keys.push(key([link]));
  expect(new Set(keys).size).toBe(keys.length);
  const [walks, places, links, rules] = arrange([inGit("ignored"), file(root, "a/x")]).key as unknown[][];
  expect(new Set(walks)).toEqual(new Set([path.join(root, "a"), path.join(root, "git/c")]));
  expect([places!.length, links!.length, rules!.length > 0]).toEqual([2, 1, true]);
});

test("folders that the last scan entered are known, and what was not scanned is a mistake of the caller", () => {
  const root = makeTree({ "a/b/x": "1", c: null });
  const arrangement = arrange([folder(root, "a"), folder(root, "c")]);
  const knows = (name: string): boolean => arrangement.knowsFolder(path.join(root, name));
  expect(knows("a/b")).toBe(false);
  for (const { scanner } of arrangement.walks) scanner.scan();
  expect([knows("a"), knows("a/b"), knows("c"), knows("d"), knows("")]).toEqual([true, true, true, false, false]);
  expect(() => arrangement.placeOf(folder(root))).toThrow(`${root} was not scanned`);
});
