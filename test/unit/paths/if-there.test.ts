import { mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { bigintStatIfThere, statIfThere, textIfThere } from "../../../src/paths/index.ts";
import { ContentHasher, findGitRoot, listTree } from "../../../src/tree/index.ts";
import { ProjectScanner } from "../../../src/plan/index.ts";

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(path.join(tmpdir(), "fastloop-stat-")));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("what leads nowhere is not there, whatever keeps it from being there", () => {
  writeFileSync(path.join(folder, "file"), "text");
  symlinkSync("loop", path.join(folder, "loop"));
  expect(statIfThere(path.join(folder, "file"))?.size).toBe(4);
  for (const name of ["gone", "loop", "loop/below", "file/below", "x".repeat(300)])
    expect([statIfThere(path.join(folder, name)), bigintStatIfThere(path.join(folder, name))]).toEqual([
      undefined,
      undefined,
    ]);
});

test("a file that cannot be read has an empty text", () => {
  writeFileSync(path.join(folder, "file"), "text");
  expect(["file", "gone", "."].map((name) => textIfThere(path.join(folder, name)))).toEqual(["text", "", ""]);
});

test("links that lead to themselves end no look, wherever they lie", () => {
  for (const name of [".gitignore", ".git", "input", "src"]) symlinkSync(name, path.join(folder, name));
  expect(findGitRoot(folder)?.startsWith(folder)).not.toBe(true);
  expect(listTree(folder, { leaveOut: "ignored" }).entries.map((entry) => entry.path)).toContain("input");
  const inputs = [
    { kind: "directory", path: path.join(folder, "src"), filter: {} },
    { kind: "file", path: path.join(folder, "input"), filter: {} },
  ] as const;
  expect(() => new ProjectScanner(inputs, new ContentHasher()).scan().digest(inputs[0])).not.toThrow();
});
