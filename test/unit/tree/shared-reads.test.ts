import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findGitRoot, sharingReads } from "../../../src/tree/index.ts";
import { readOnce } from "../../../src/tree/shared-reads.ts";

let root: string;
beforeEach(() => void (root = mkdtempSync(path.join(tmpdir(), "fastloop-reads-"))));
afterEach(() => rmSync(root, { recursive: true, force: true }));

const counter = (): (() => number) => {
  let count = 0;
  return () => readOnce("count", () => ++count);
};

test("what is read is read anew each time, and once while reads are shared", () => {
  const count = counter();
  expect([count(), count()]).toEqual([1, 2]);
  expect(sharingReads(() => [count(), sharingReads(count), count()])).toEqual([3, 3, 3]);
  expect(count()).toBe(4);
});

test("reads are shared no longer when the work has failed", () => {
  const count = counter();
  expect(() =>
    sharingReads(() => {
      count();
      throw new Error("x");
    }),
  ).toThrow("x");
  expect([count(), count()]).toEqual([2, 3]);
});

test("nothing that is found once counts as found", () => {
  let count = 0;
  const nothing = (): undefined => readOnce("nothing", () => void count++);
  sharingReads(() => [nothing(), nothing()]);
  expect(count).toBe(1);
});

test("a repository is found from each folder in it, also where its folders share what was looked at", () => {
  const inner = path.join(root, "outer/a/inner");
  for (const folder of [".git", "a/b", "a/inner/.git", "a/inner/c"])
    mkdirSync(path.join(root, "outer", folder), { recursive: true });
  writeFileSync(path.join(root, "outer/a/b/file"), "");
  const found = (): (string | undefined)[] =>
    ["a", "a/b", "a/inner", "a/inner/c"].map((folder) => findGitRoot(path.join(root, "outer", folder)));
  const right = [path.join(root, "outer"), path.join(root, "outer"), inner, inner];
  expect(found()).toEqual(right);
  expect(sharingReads(found)).toEqual(right);
});
