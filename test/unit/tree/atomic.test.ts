import { existsSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { makeFolders, writeFileAtomically } from "../../../src/tree/index.ts";
import { makeTree } from "./fixture.ts";

test("a file is written whole or not at all, and leaves no draft", () => {
  const root = makeTree({ "taken/inside": "" });
  const file = path.join(root, "deep/x.json");
  writeFileAtomically(file, "{}");
  expect(readFileSync(file, "utf8")).toBe("{}");
  expect(() => writeFileAtomically(path.join(root, "taken"), "{}")).toThrow();
  expect(readdirSync(root).sort()).toEqual(["deep", "taken"]);
});

test("a draft goes through no link that lies under its name", () => {
  const root = makeTree({ outside: "precious" });
  const file = path.join(root, "x.json");
  // Names as they would be if they could be told before.
  for (let index = 0; index < 100; index++)
    symlinkSync(path.join(root, "outside"), `${file}.${process.pid}.${index}.tmp`);
  writeFileAtomically(file, "{}");
  expect([readFileSync(file, "utf8"), readFileSync(path.join(root, "outside"), "utf8")]).toEqual(["{}", "precious"]);
});

test.runIf(process.platform === "linux")("a folder that a file system has no place for is an error at once", () => {
  expect(() => makeFolders("/proc/fastloop/a/b")).toThrow("ENOENT");
});

test("folders are made above one another, and those that are there stay", () => {
  const root = makeTree({ "a/f.txt": "f" });
  makeFolders(path.join(root, "a/b/c"));
  makeFolders(path.join(root, "a/b/c"));
  expect(existsSync(path.join(root, "a/b/c"))).toBe(true);
  expect(() => makeFolders(path.join(root, "a/f.txt"))).toThrow("EEXIST");
  expect(() => makeFolders(path.join(root, "a/f.txt/d"))).toThrow("ENOTDIR");
});
