/** Small repositories that have the shapes of public ones. Each passes as it is; `breaks` is an edit that makes a test fail. */

export interface Shape {
  name: string;
  files: Record<string, string>;
  /** Names of the targets that `init` has to find. */
  targets: string[];
  /** A file, and a text in it with what takes its place. */
  breaks: { file: string; from: string; to: string };
  /** The targets that the edit makes fail or keeps from running. */
  fails: string[];
  /** Why the tests can't be run where only Debian's and npm's packages are: then what `init` writes is checked. */
  needsImage?: string;
  /** Lock files are made by the package manager itself. */
  lock?: "npm";
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
const nodeTest = (subject: string, expected: string): string =>
  `import assert from "node:assert";\nimport { test } from "node:test";\n${subject}\ntest("value", () => assert.equal(value, ${expected}));\n`;
const member = (name: string, extra: object = {}): string =>
  json({ name, version: "1.0.0", type: "module", main: "index.js", scripts: { test: "node --test" }, ...extra });
const pyTest = "from thing import value\n\n\ndef test_value():\n    assert value() == 1\n";
const pySource = "def value():\n    return 1\n";
const edit = (file: string, from = "return 1", to = "return 2"): Shape["breaks"] => ({ file, from, to });

export const shapes: Shape[] = [
  {
    name: "a package without dependencies and without a lock file",
    files: {
      "package.json": json({ name: "x", type: "module", scripts: { test: "node --test" } }),
      "value.js": "export const value = 1;\n",
      "value.test.js": nodeTest('import { value } from "./value.js";', "1"),
    },
    targets: ["app"],
    breaks: edit("value.js", "value = 1", "value = 2"),
    fails: ["app"],
  },
  {
    name: "a package whose prepare script builds what its tests import",
    files: {
      "package.json": json({
        name: "x",
        type: "module",
        scripts: { prepare: "npm run build", build: "node build.js", test: "node --test" },
      }),
      "build.js":
        'import { cpSync, mkdirSync } from "node:fs";\nmkdirSync("dist", { recursive: true });\ncpSync("src/value.js", "dist/value.js");\n',
      "src/value.js": "export const value = 1;\n",
      "test/value.test.js": nodeTest('import { value } from "../dist/value.js";', "1"),
      ".gitignore": "dist\nnode_modules\n",
    },
    lock: "npm",
    targets: ["app"],
    breaks: edit("src/value.js", "value = 1", "value = 2"),
    fails: ["app"],
  },
  {
    name: "a workspace of npm in which one package is made of another, built",
    files: {
      "package.json": json({
        name: "mono",
        private: true,
        workspaces: ["packages/*"],
        scripts: { test: "npm test --workspaces" },
      }),
      "packages/a/package.json": member("@m/a", {
        main: "dist/index.js",
        scripts: { build: "node build.js", test: "node --test" },
      }),
      "packages/a/build.js":
        'import { cpSync, mkdirSync } from "node:fs";\nmkdirSync("dist", { recursive: true });\ncpSync("value.js", "dist/index.js");\n',
      "packages/a/value.js": "export const value = 1;\n",
      "packages/a/value.test.js": nodeTest('import { value } from "./value.js";', "1"),
      "packages/b/package.json": member("@m/b", { dependencies: { "@m/a": "^1.0.0" } }),
      "packages/b/value.test.js": nodeTest('import { value } from "@m/a";', "1"),
      "packages/c/package.json": member("@m/c"),
      "packages/c/value.test.js": nodeTest("const value = 3;", "3"),
      ".gitignore": "dist\nnode_modules\n",
      "README.md": "# mono\n",
    },
    lock: "npm",
    targets: ["a", "b", "c"],
    breaks: edit("packages/a/value.js", "value = 1", "value = 2"),
    fails: ["a", "b"],
  },
  {
    name: "a script that runs another one, and tests that start git",
    files: {
      "package.json": json({
        name: "x",
        type: "module",
        scripts: { lint: "node --check value.js", test: "npm run lint && node --test" },
      }),
      "value.js": "export const value = 1;\n",
      "value.test.js": `import { execFileSync } from "node:child_process";\n${nodeTest('import { value } from "./value.js";', "1")}test("git", () => execFileSync("git", ["--version"]));\n`,
    },
    targets: ["app"],
    breaks: edit("value.js", "value = 1", "value = 2"),
    fails: ["app"],
  },
  {
    name: "a package and a Python project side by side",
    files: {
      "web/package.json": json({ name: "web", type: "module", scripts: { test: "node --test" } }),
      "web/value.test.js": nodeTest("const value = 1;", "1"),
      "worker/requirements.txt": "pytest\n",
      "worker/thing.py": pySource,
      "worker/test_thing.py": pyTest,
    },
    targets: ["web", "worker"],
    breaks: edit("worker/thing.py"),
    fails: ["worker"],
  },
  {
    name: "a Python project in src/, with its tests' extra",
    files: {
      "pyproject.toml":
        '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n\n[project]\nname = "thing"\nversion = "1.0"\noptional-dependencies.test = ["pytest"]\n\n[tool.setuptools.packages.find]\nwhere = ["src"]\n',
      "src/thing/__init__.py": pySource,
      "tests/test_thing.py": pyTest,
    },
    targets: ["app"],
    breaks: edit("src/thing/__init__.py"),
    fails: ["app"],
  },
  {
    name: "a Python project of which only setup.py tells anything",
    files: {
      "setup.py": 'from setuptools import setup\n\nsetup(name="thing", version="1.0", py_modules=["thing"])\n',
      "thing.py": pySource,
      "tests/test_thing.py": `import pytest\n${pyTest}`,
    },
    targets: ["app"],
    breaks: edit("thing.py"),
    fails: ["app"],
  },
  {
    name: "Python's own unittest",
    files: {
      "requirements.txt": "",
      "thing.py": pySource,
      "test_thing.py":
        "import unittest\nfrom thing import value\n\n\nclass Value(unittest.TestCase):\n    def test_value(self):\n        self.assertEqual(value(), 1)\n",
    },
    targets: ["app"],
    breaks: edit("thing.py"),
    fails: ["app"],
  },
  {
    name: "modules of a go.work",
    files: {
      "go.work": "go 1.24\n\nuse (\n\t./a\n\t./b\n)\n",
      "a/go.mod": "module example.test/x/a\n\ngo 1.24\n",
      "a/a.go": "package a\n\nfunc Value() int { return 1 }\n",
      "b/go.mod": "module example.test/x/b\n\ngo 1.24\n\nrequire example.test/x/a v0.0.0\n",
      "b/b.go": "package b\n",
    },
    targets: ["a", "b"],
    breaks: edit("a/a.go"),
    fails: ["a"],
    needsImage: "golang",
  },
  {
    name: "a workspace of cargo",
    files: {
      "Cargo.toml": '[workspace]\nmembers = ["a"]\n',
      "a/Cargo.toml": '[package]\nname = "a"\nversion = "0.1.0"\n',
      "a/src/lib.rs": "pub fn value() -> i32 { 1 }\n",
    },
    targets: ["app"],
    breaks: edit("a/src/lib.rs", "{ 1 }", "{ 2 }"),
    fails: ["app"],
    needsImage: "rust",
  },
];
