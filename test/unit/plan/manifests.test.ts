import { appendFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { diffManifests, ManifestStore } from "../../../src/plan/index.ts";
import { parseManifest } from "../../../src/plan/scan/manifests.ts";
import { ProjectState } from "../../../src/state/index.ts";
import { makeTree } from "../tree/fixture.ts";

const [one, two] = ["1".repeat(64), "2".repeat(64)];
const key = `f644 ${"a".repeat(64)}`;

function rig() {
  const root = makeTree();
  const store = new ManifestStore(new ProjectState(root));
  const folder = path.join(root, ".fastloop/manifests");
  return { store, folder };
}

test("a manifest is read as it was stored, whatever its names hold", () => {
  const { store } = rig();
  const manifest = new Map([
    ["a", key],
    ["name with\na newline", "l ../a b"],
    ["d", "d755"],
  ]);
  store.write(one, () => manifest);
  expect(store.read(one)).toEqual(manifest);
  store.write(two, () => new Map());
  expect(store.read(two)).toEqual(new Map());
});

test("a manifest that is stored is not built and written again", () => {
  const { store } = rig();
  let built = 0;
  const build = (): Map<string, string> => new Map([["a", String(++built)]]);
  store.write(one, build);
  store.write(one, build);
  expect([built, store.read(one)?.get("a")]).toEqual([1, "1"]);
});

test("for what is no digest nothing is stored, and nothing read", () => {
  const { store, folder } = rig();
  store.write(one, () => new Map([["a", key]]));
  for (const name of ["missing", "there", `${one}0`, `x${one}`, `../manifests/${one}`, one.slice(1), "G".repeat(64)]) {
    store.write(name, () => new Map([["a", key]]));
    expect(store.read(name), name).toBe(undefined);
  }
  expect(readdirSync(folder)).toEqual([one]);
});

test("a manifest that is not stored, or that somebody else changed, is unknown", () => {
  const { store, folder } = rig();
  expect(store.read(one)).toBe(undefined);
  store.write(one, () => new Map([["a", key]]));
  appendFileSync(path.join(folder, one), `b\0${key}\n`);
  expect(store.read(one)).toBe(undefined);
});

test("manifests that no record refers to are deleted, and nothing else is", () => {
  const { store, folder } = rig();
  for (const digest of [one, two]) store.write(digest, () => new Map([["a", key]]));
  appendFileSync(path.join(folder, "notes"), "not ours");
  store.prune(new Set([two]));
  expect(readdirSync(folder).sort()).toEqual([two, "notes"]);
});

test("a manifest that is cut off anywhere but between two entries is unknown", () => {
  const text = `a\0${key}\nb\n\0${key}\n`;
  const whole = [0, text.indexOf("\n") + 1, text.length];
  for (let length = 0; length <= text.length; length++) {
    const parsed = parseManifest(text.slice(0, length));
    expect([length, parsed?.size]).toEqual([length, whole.includes(length) ? whole.indexOf(length) : undefined]);
  }
  expect(parseManifest("\n")).toBe(undefined);
});

test("two manifests differ by what only the new one has, only the old one, or both with other content", () => {
  const before = new Map([
    ["same", "1"],
    ["edited", "1"],
    ["gone", "1"],
  ]);
  const now = new Map([
    ["same", "1"],
    ["new", "1"],
    ["edited", "2"],
  ]);
  expect(diffManifests(before, now)).toEqual([
    { kind: "file", change: "changed", path: "edited" },
    { kind: "file", change: "removed", path: "gone" },
    { kind: "file", change: "added", path: "new" },
  ]);
  expect(diffManifests(now, now)).toEqual([]);
});

test("a folder is not named beside what changed in it, but beside others that begin with its name", () => {
  const names = (...given: string[]): string[] =>
    diffManifests(new Map(), new Map(given.map((name) => [name, "1"]))).map(({ path: at }) => at);
  expect(names("a", "a/b", "a/b/c")).toEqual(["a/b/c"]);
  expect(names("a.b", "a/b", "a")).toEqual(["a/b", "a.b"]);
  expect(names("ab", "a", "a.b")).toEqual(["a", "a.b", "ab"]);
});
