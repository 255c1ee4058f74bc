// Selection, shards and reports with the real runners: node, vitest, jest, pytest and go (cargo: examples.test.ts).
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { packageRoot } from "../../src/paths/index.ts";
import { fastloop } from "./cli-process.ts";

const coldMs = 10 * 60_000;
let project: string;

const files: Record<string, string> = {
  "fastloop.yaml": `version: 1
name: runners
images:
  base: { from: debian:bookworm-slim, packages: [ca-certificates, golang-go] }
tests:
  suites:
    web:
      image: node:22-bookworm-slim
      root: web
      runner: node
      tiers:
        fast: { run: node --test $TEST_ARGS, files: ["test/*.test.js"] }
    ui:
      preset: npm
      root: ui
      install: npm install --no-audit --no-fund
      runner: vitest
      tiers: { fast: npx vitest run $TEST_ARGS }
    old:
      preset: npm
      root: old
      install: npm install --no-audit --no-fund
      runner: jest
      tiers: { fast: npx jest --ci $TEST_ARGS }
    py:
      preset: pip
      root: py
      runner: pytest
      tiers: { smoke: python -m compileall -q ., fast: python -m pytest -q }
    svc:
      preset: go
      image: base
      root: svc
      runner: go
      tiers: { fast: go test $TEST_ARGS }
`,
  "web/package.json": '{ "name": "web", "type": "module" }',
  "web/src/a.js": "export const a = 1;\n",
  "web/src/b.js": "export const b = 2;\n",
  "web/test/a.test.js":
    'import test from "node:test";\nimport assert from "node:assert";\nimport { a } from "../src/a.js";\ntest("web a", () => assert.equal(a, 1));\n',
  "web/test/b.test.js":
    'import test from "node:test";\nimport assert from "node:assert";\nimport { b } from "../src/b.js";\ntest("web b", () => assert.equal(b, 2));\n',
  "web/test/c.test.js": 'import test from "node:test";\ntest("web c", () => {});\n',
  "ui/package.json": '{ "name": "ui", "type": "module", "devDependencies": { "vitest": "4.1.12" } }',
  "ui/src/a.ts": "export const a: number = 1;\n",
  "ui/test/a.test.ts":
    'import { expect, test } from "vitest";\nimport { a } from "../src/a";\ntest("ui a", () => expect(a).toBe(1));\n',
  "ui/test/b.test.ts": 'import { test } from "vitest";\ntest("ui b", () => {});\n',
  "old/package.json": '{ "name": "old", "devDependencies": { "jest": "30.0.5", "jest-junit": "16.0.0" } }',
  "old/src/a.js": "exports.a = 1;\n",
  "old/a.test.js": 'const { a } = require("./src/a");\ntest("old a", () => expect(a).toBe(1));\n',
  "old/b.test.js": 'test("old b", () => {});\n',
  "py/requirements.txt": "pytest==8.4.1\n",
  "py/shop/__init__.py": "",
  "py/shop/a.py": "A = 1\n",
  "py/tests/test_a.py": "from shop import a\n\ndef test_py_a():\n    assert a.A == 1\n",
  "py/tests/test_b.py": "def test_py_b():\n    pass\n",
  "svc/go.mod": "module example.com/svc\n\ngo 1.19\n",
  "svc/a/a.go": "package a\n\nconst A = 1\n",
  "svc/a/a_test.go": 'package a\n\nimport "testing"\n\nfunc TestSvcA(t *testing.T) {}\n',
  "svc/b/b_test.go": 'package b\n\nimport "testing"\n\nfunc TestSvcB(t *testing.T) {}\n',
};

beforeAll(() => {
  project = mkdtempSync(path.join(tmpdir(), "fastloop-suites-"));
  mkdirSync(path.join(project, ".git"));
  for (const [file, text] of Object.entries(files)) write(file, text);
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

function write(file: string, text: string): void {
  mkdirSync(path.dirname(path.join(project, file)), { recursive: true });
  writeFileSync(path.join(project, file), text);
}

async function answer(...words: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await fastloop(["-m", packageRoot(), "call", ...words], { cwd: project });
  expect(exitCode, stderr).toBe(0);
  return stdout;
}

/** The report without its columns. */
const told = async (...words: string[]): Promise<string[]> =>
  (await answer("test", "--source", ".", ...words))
    .trimEnd()
    .split("\n")
    .map((line) => line.replaceAll(/ {2,}/g, " "));

const changed = ["web/src/a.js", "ui/src/a.ts", "old/src/a.js", "py/shop/a.py", "svc/a/a.go"];
const asking = (list: readonly string[]): string[] => list.flatMap((file) => ["--changed", file]);

test(
  "everything runs when nothing is said, each suite with its own runner",
  async () => {
    expect(await told()).toEqual([
      "web fast 3 passed",
      "ui fast 2 passed",
      "old fast 2 passed",
      "py smoke passed",
      "py fast 2 passed",
      "svc fast 2 packages passed",
    ]);
  },
  coldMs,
);

test(
  "a change runs what reaches it, and nothing else",
  async () => {
    expect(await told(...asking(changed))).toEqual([
      "web fast 1 passed (1 of 3 test files)",
      "ui fast 1 passed (1 of 2 test files)",
      "old fast 1 passed (1 of 2 test files)",
      expect.stringMatching(/^py smoke passed/),
      "py fast 1 passed (1 of 2 test files)",
      "svc fast 1 package passed (1 of 2 packages)",
    ]);
    expect(await told(...asking(["web/src/a.js"]))).toEqual([
      "web fast 1 passed (1 of 3 test files)",
      "ui fast not affected",
      "old fast not affected",
      "py smoke not affected",
      "py fast not affected",
      "svc fast not affected",
    ]);
  },
  coldMs,
);

test("what is not sure runs everything, and says why", async () => {
  expect(await told("--suite", "web", "--changed", "web/package.json")).toEqual([
    "web fast 3 passed (all, web/package.json changed)".replace("web/p", "p"),
  ]);
  expect(await told("--suite", "web", "--changed", "web/page.html")).toEqual([
    expect.stringMatching(/^web fast 3 passed \(all, page\.html changed/),
  ]);
  expect(await told("--suite", "web", "--changed", "web/src/gone.js")).toEqual([
    expect.stringMatching(/^web fast 3 passed \(all, a changed file is not there/),
  ]);
});

test(
  "the shards of a suite are disjoint and together all of it, as their exported JUnit files tell",
  async () => {
    const namesIn = async (shard: string): Promise<string[]> => {
      const target = path.join(project, "../", `${path.basename(project)}-reports-${shard.replace("/", "-")}`);
      await answer("test-reports", "--source", ".", "--shard", shard, "export", "--path", target);
      const names = ["web", "ui", "old", "py", "svc"].flatMap((suite) => {
        const xml = readFileSync(path.join(target, suite, "fast/junit.xml"), "utf8");
        return [...xml.matchAll(/<testcase [^>]*\bname="[^"]*?((?:web|ui|old) \w|test_py_\w|TestSvc\w)"/g)].map(
          (match) => match[1] ?? "",
        );
      });
      rmSync(target, { recursive: true });
      return names;
    };
    const [first, second] = [await namesIn("1/2"), await namesIn("2/2")];
    expect(first.filter((name) => second.includes(name))).toEqual([]);
    expect([...first, ...second].toSorted()).toEqual([
      "TestSvcA",
      "TestSvcB",
      "old a",
      "old b",
      "test_py_a",
      "test_py_b",
      "ui a",
      "ui b",
      "web a",
      "web b",
      "web c",
    ]);
    expect(Math.min(first.length, second.length)).toBeGreaterThanOrEqual(4);
  },
  coldMs,
);

test("a failing test is in the report, with coverage beside it, and fails nothing", async () => {
  write("web/test/c.test.js", 'import test from "node:test";\ntest("web c", () => { throw new Error("no"); });\n');
  const target = path.join(project, "reports");
  await answer("test-reports", "--source", ".", "--suite", "web", "--coverage", "export", "--path", target);
  expect(readFileSync(path.join(target, "web/fast/junit.xml"), "utf8")).toContain("<failure");
  expect(readFileSync(path.join(target, "web/fast/coverage.lcov"), "utf8")).toContain("SF:");
  expect(readFileSync(path.join(target, "web/fast/exit-code"), "utf8")).toBe("1\n");
});

test("a tier over its budget is told, and fails where that is asked", async () => {
  write(
    "fastloop.yaml",
    "version: 1\ntests:\n  tiers: { smoke: { budget: 1s } }\n  suites:\n    slow: { image: debian:bookworm-slim, tiers: { smoke: sleep 2 } }\n",
  );
  expect(await told("--tier", "smoke")).toEqual([
    "slow smoke passed",
    expect.stringMatching(/^tier smoke took [23] s, its budget is 1s$/),
  ]);
  const enforced = await fastloop(
    ["-m", packageRoot(), "call", "test", "--source", ".", "--tier", "smoke", "--enforce-budget"],
    { cwd: project },
  );
  expect(enforced).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/its budget is 1s/) as string });
});
