import { expect, it } from "vitest";
import { absolutePath, namesFolder, pathBelow, relativeTo } from "../../../src/core-api/values/paths.ts";

it("resolves against the working directory", () => {
  expect(absolutePath("", "a")).toBe("/a");
  expect(absolutePath("/w", "a/")).toBe("/w/a");
  expect(absolutePath("/w", "/a/../b")).toBe("/b");
  expect(absolutePath("/w", ".")).toBe("/w");
});

it("never leaves the tree", () => {
  expect(pathBelow("/a", "../../../x")).toBe("/x");
  expect(pathBelow("/", "..")).toBe("/");
  expect(pathBelow("/a", "/abs")).toBe("/a/abs");
  expect(pathBelow("/a", "")).toBe("/a");
});

it("knows names of folders", () => {
  expect(["a/", "a/.", ".", ""].map(namesFolder)).toEqual([true, true, true, true]);
  expect(["a", "a.", "a/b"].map(namesFolder)).toEqual([false, false, false]);
});

it("is relative only inside, by whole names", () => {
  expect(relativeTo("/a", "/a/b")).toBe("b");
  expect(relativeTo("/a", "/a")).toBe("");
  expect(relativeTo("/a", "/ab")).toBeUndefined();
  expect(relativeTo("/", "/x")).toBe("x");
});
