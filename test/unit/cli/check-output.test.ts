import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { checkOutput } from "../../../src/cli/call/check-output.ts";
import type { ParsedCall } from "../../../src/call/index.ts";
import { makeTree } from "../tree/fixture.ts";

const object = (name: string): ParsedCall["returns"] => ({ kind: "object", name });
const text: ParsedCall["returns"] = { kind: "string" };

test("a folder is in the way of a text and of an image, not of a directory or a file", () => {
  const cwd = makeTree();
  mkdirSync(path.join(cwd, "out"));
  const check = (returns: ParsedCall["returns"]) => (): void => checkOutput({ output: "out", returns }, cwd);
  expect(check(text)).toThrow(
    expect.objectContaining({
      exitCode: 2,
      place: "-o out",
      message: "it is a folder, and the result is a text",
      hint: "name a file, e.g. -o out/result.txt",
    }),
  );
  expect(check(object("Container"))).toThrow("it is a folder, and a Container is written to a file");
  expect(check(object("Directory"))).not.toThrow();
  expect(check(object("File"))).not.toThrow();
});

test("a file is in the way of a directory, and of everything below it", () => {
  const cwd = makeTree();
  writeFileSync(path.join(cwd, "out"), "");
  expect(() => checkOutput({ output: "out", returns: object("Directory") }, cwd)).toThrow(
    "it is a file, and a Directory is written into a folder",
  );
  expect(() => checkOutput({ output: "out", returns: text }, cwd)).not.toThrow();
  for (const output of ["out/x", "out/x/y"]) {
    expect(() => checkOutput({ output, returns: text }, cwd)).toThrow(`${path.join(cwd, "out")} is not a folder`);
  }
  expect(() => checkOutput({ output: "new/x/y", returns: text }, cwd)).not.toThrow();
});
