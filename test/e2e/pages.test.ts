/**
 * The blocks of commands in docs, line by line and in their order, on one small project. A line that is not run here has the
 * test beside it that does what it says; README, getting-started and migrating have tests of their own.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { splitWords } from "../../src/call/grammar/split-words.ts";
import { packageRoot } from "../../src/paths/index.ts";
import { fastloop, type CliResult } from "./cli-process.ts";

const docs = path.join(packageRoot(), "docs");
let folder = "";
const file = (name: string): string => path.join(folder, name);

/** What a block gives to type, without what is said beside it. */
function linesOf(page: string): string[] {
  const blocks = [...readFileSync(path.join(docs, page), "utf8").matchAll(/^```(?:sh)?\n([^]*?)^```/gm)];
  return blocks
    .flatMap(([, block]) => block!.split("\n"))
    .filter((line) => line.startsWith("fastloop "))
    .map((line) => line.replace(/(?: {2,}| # ).*$/, "").trim());
}

/** Ends with this code (0 where none is said), and what it has to say. */
interface Said {
  code?: number;
  check?: (result: CliResult) => void;
}
type Line = Said | string;

const says =
  (pattern: RegExp) =>
  ({ stdout }: CliResult): void =>
    expect(stdout).toMatch(pattern);

const pages: Record<string, Record<string, Line>> = {
  "insight.md": {
    "fastloop stats": { check: says(/^test +2 /m) },
    "fastloop stats test --since 7d": { check: says(/^test +2 /m) },
    "fastloop stats --since 7d --compare": { check: says(/test/) },
    "fastloop stats --format html -o stats.html": {
      check: () => expect(readFileSync(file("stats.html"), "utf8")).toMatch(/^<!doctype html>[^]*<svg/i),
    },
    "fastloop diff": { code: 1, check: says(/sum\.js/) },
    "fastloop diff test~1 test": { code: 1, check: says(/sum\.js/) },
    "fastloop run --save-baseline main": { check: ({ stderr, stdout }) => expect(stdout + stderr).toMatch(/main/) },
    "fastloop diff main": {},
    "fastloop diff a.spdx.json b.json": { code: 1, check: says(/left-pad.*1\.0\.0.*1\.3\.0/) },
  },
  "calling.md": {
    "fastloop functions": { check: says(/^build-base +Builds the base image/m) },
    "fastloop functions -v": { check: says(/--tier/) },
    "fastloop functions --json": {
      check: ({ stdout }) => expect(JSON.parse(stdout)).toMatchObject({ objects: expect.anything() as object }),
    },
    "fastloop call [--constructor-flag V]... FUNCTION [--flag V]... [FUNCTION [--flag V]...]...": "the grammar",
    "fastloop call build-base --platform linux/arm64": "test/e2e/arm64.test.ts",
    "fastloop call test --source . --tier fast": { check: says(/1 passed/) },
    "fastloop call build-dev file --path /etc/os-release contents": { check: says(/^NAME="?Debian/m) },
    "fastloop call build-dev with-exec --args=npm,ls stdout": { check: says(/^mine@1\.0\.0 /) },
    "fastloop call build-dev -o image.tar": {
      check: () => expect(statSync(file("image.tar")).size).toBeGreaterThan(1_000_000),
    },
    "fastloop call build-base terminal": "test/e2e/terminal.test.ts",
    "fastloop call build-base terminal --cmd=python3": "test/e2e/terminal.test.ts",
    "fastloop call sources terminal --container debian:bookworm-slim": "test/e2e/terminal.test.ts",
    "fastloop call database terminal": "test/e2e/terminal.test.ts",
    "fastloop completion fish | source": "test/unit/cli/command-line.test.ts",
  },
  "page.md": {
    "fastloop watch --ui": "test/e2e/page.test.ts",
    "fastloop up --ui": "test/e2e/page-up.test.ts",
    "fastloop run --all --ui-snapshot run.html": {
      check: () => expect(readFileSync(file("run.html"), "utf8")).toMatch(/^<!doctype html>/i),
    },
  },
};

/** Their commands need a cluster, services that stay, another engine or a user at a terminal. */
const elsewhere: Record<string, string> = {
  "architecture.md": "a picture of processes",
  "deploy.md": "test/deploy/deploy.test.ts",
  "deploying.md": "test/deploy/verbs.test.ts",
  "engines.md": "test/e2e/engine.test.ts",
  "getting-started.md": "test/e2e/documents.test.ts",
  "migrating.md": "test/e2e/migrating.test.ts",
  "modules.md": "test/e2e/dependencies.test.ts",
  "reference.md": "test/unit/cli/reference.test.ts",
  "security.md": "test/unit/trust/trust.test.ts",
  "services.md": "test/e2e/up.test.ts",
};

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "fastloop-pages-"));
  const root = { name: "mine", version: "1.0.0" };
  const files: Record<string, string> = {
    "fastloop.yaml": `version: 1
module: fastloop
name: mine
watch:
  targets:
    test: { call: test --source . --suite unit --tier fast, inputs: [fastloop.yaml, "*.js", "*.json"] }
images:
  base: { from: node:22-bookworm-slim }
  dev:
    workdir: /app
    layers: [{ name: dependencies, files: [package.json, package-lock.json], run: npm ci }]
tests:
  suites:
    unit: { preset: npm, sources: ["*.js"], tiers: { fast: npm test } }
`,
    "package.json": JSON.stringify({ ...root, type: "module", scripts: { test: "node --test" } }),
    "package-lock.json": JSON.stringify({ ...root, lockfileVersion: 3, packages: { "": root } }),
    "sum.js": "export const sum = (a, b) => a + b;\n",
    "sum.test.js": `import test from "node:test";
import assert from "node:assert";
import { sum } from "./sum.js";
test("adds", () => assert.equal(sum(1, 2), 3));
`,
    "a.spdx.json": JSON.stringify({ spdxVersion: "SPDX-2.3", packages: [{ name: "left-pad", versionInfo: "1.0.0" }] }),
    "b.json": JSON.stringify({
      bomFormat: "CycloneDX",
      specVersion: "1.5",
      components: [{ type: "library", name: "left-pad", version: "1.3.0" }],
    }),
  };
  mkdirSync(file(".git"));
  for (const [name, text] of Object.entries(files)) writeFileSync(file(name), text);
  // The pages speak of runs: two, with an edit between them.
  for (const sum of ["a + b", "b + a"]) {
    writeFileSync(file("sum.js"), `export const sum = (a, b) => ${sum};\n`);
    const run = await fastloop(["run"], { cwd: folder });
    expect(run.exitCode, run.stdout + run.stderr).toBe(0);
  }
}, 600_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("every page with commands has its lines here, or a test of its own", () => {
  const withCommands = readdirSync(docs).filter((name) => name.endsWith(".md") && linesOf(name).length > 0);
  const told = [...Object.keys(pages), ...Object.keys(elsewhere)];
  expect(withCommands.filter((name) => !told.includes(name))).toEqual([]);
  for (const [page, lines] of Object.entries(pages)) expect(Object.keys(lines), page).toEqual(linesOf(page));
  const named = [...Object.values(elsewhere), ...Object.values(pages).flatMap((lines) => Object.values(lines))];
  for (const name of named)
    if (typeof name === "string" && name.startsWith("test/"))
      expect(existsSync(path.join(packageRoot(), name)), name).toBe(true);
});

describe.each(Object.entries(pages))("%s", (_page, lines) => {
  const run = Object.entries(lines).filter((entry): entry is [string, Said] => typeof entry[1] !== "string");

  test.each(run)("%s", { timeout: 600_000 }, async (line, { code = 0, check }) => {
    const result = await fastloop(splitWords(line.replace(/^fastloop /, ""))!, { cwd: folder });
    expect(result.exitCode, result.stdout + result.stderr).toBe(code);
    check?.(result);
  });
});
