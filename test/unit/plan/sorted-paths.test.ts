import { expect, test } from "vitest";
import { SortedPaths } from "../../../src/plan/inputs/sorted-paths.ts";

const all = ["b/z", "a", "a/x", "a.b/x", "a/b/c", "a0", "ab/x", "b/a", "a/x"];

test("the paths in a folder are those below it at any depth, and none whose names only begin like it", () => {
  const paths = new SortedPaths(all);
  expect(paths.below("a")).toEqual(["a/b/c", "a/x"]);
  expect(paths.below("a/b")).toEqual(["a/b/c"]);
  expect(paths.below("b")).toEqual(["b/a", "b/z"]);
  expect([paths.below("c"), paths.below("a/x"), paths.below("A")]).toEqual([[], [], []]);
});

test("in the folder without a name are all paths, each once and in order", () => {
  expect(new SortedPaths(all).below("")).toEqual([...new Set(all)].sort());
  expect(new SortedPaths([]).below("")).toEqual([]);
});
