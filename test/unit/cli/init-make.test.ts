import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makefile } from "../../../src/cli/init/makefile.ts";
import { findExecutable } from "../../../src/paths/index.ts";

let root: string;
beforeEach(() => (root = mkdtempSync(path.join(tmpdir(), "fastloop-make-"))));
afterEach(() => rmSync(root, { recursive: true, force: true }));

const text = makefile({ fastloop: "npx fastloop", environment: "staging" });

test("every target is one verb of fastloop", () => {
  const recipes = [...text.matchAll(/^([a-z-]+):\n\t(.*)$/gm)].map(([, name, line]) => `${name}: ${line}`);
  expect(recipes.slice(0, -1)).toEqual([
    "dev: $(FASTLOOP) call build-dev sync",
    "dev-test: $(FASTLOOP) run",
    "dev-watch: $(FASTLOOP) watch",
    "dev-shell: $(FASTLOOP) call shell terminal",
    "cluster: $(FASTLOOP) deploy $(ENV)",
    "clean: $(FASTLOOP) cache clear",
  ]);
});

test.skipIf(findExecutable("make") === undefined)("make reads it: alone it helps, a target runs its verb", () => {
  writeFileSync(path.join(root, "Makefile"), text);
  const make = (...words: string[]): string => {
    const { stdout, stderr, status } = spawnSync("make", words, { cwd: root, encoding: "utf8" });
    expect(status, stderr).toBe(0);
    return stdout;
  };
  for (const name of ["dev", "dev-test", "dev-shell", "cluster", "clean"])
    expect(make()).toMatch(new RegExp(`^ {2}make ${name} +\\w`, "m"));
  expect(make("help")).toBe(make());
  expect(make("cluster", "FASTLOOP=echo fastloop")).toBe("echo fastloop deploy staging\nfastloop deploy staging\n");
  expect(readFileSync(path.join(root, "Makefile"), "utf8")).toBe(text);
});
