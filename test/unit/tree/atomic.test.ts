import { existsSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { ContentHasher, listTree, makeFolders, writeFileAtomically } from "../../../src/tree/index.ts";
import { makeTree } from "./fixture.ts";

test("a project that was deleted is not made again for the sake of its state", () => {
  const project = path.join(makeTree({ "p/a.txt": "a" }), "p");
  const file = path.join(project, ".fastloop/calls/x.json");
  writeFileAtomically(file, "{}");
  expect(readFileSync(file, "utf8")).toBe("{}");
  rmSync(project, { recursive: true });
  expect(() => writeFileAtomically(file, "{}")).toThrow("ENOENT");
  expect(existsSync(project)).toBe(false);
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

test("hashes that cannot be kept are told once and stop nothing", () => {
  const root = makeTree({ "a.txt": "a", "in-the-way": "" });
  const notices: string[] = [];
  const later = (): bigint => BigInt(Date.now() + 60_000) * 1_000_000n;
  const hasher = new ContentHasher({ cacheFile: path.join(root, "in-the-way/.fastloop/hashes"), onNotice: (text) => notices.push(text), nowNs: later });
  for (const name of ["a.txt", "in-the-way"]) {
    const entry = listTree(root, {}).entries.find((candidate) => candidate.path === name)!;
    expect(hasher.hash(root, entry)).toMatch(/^[0-9a-f]{64}$/);
    hasher.save();
  }
  expect(notices).toEqual([expect.stringContaining("nothing can be written to")]);
});
