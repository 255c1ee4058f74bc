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
  /** Its toolchain takes minutes to get: only with FASTLOOP_ALL_SHAPES (nightly); else what `init` writes is checked. */
  isSlow?: boolean;
  /** What the verdict has to say of the tests. */
  tests?: string;
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
const unittest =
  "import unittest\nfrom thing import value\n\n\nclass Value(unittest.TestCase):\n    def test_value(self):\n        self.assertEqual(value(), 1)\n";
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
      "test_thing.py": unittest,
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
      "a/a_test.go":
        'package a\n\nimport "testing"\n\nfunc TestValue(t *testing.T) {\n\tif Value() != 1 {\n\t\tt.Fatal(Value())\n\t}\n}\n',
      "b/go.mod": "module example.test/x/b\n\ngo 1.24\n\nrequire example.test/x/a v0.0.0\n",
      "b/b.go": "package b\n",
    },
    targets: ["a", "b"],
    breaks: edit("a/a.go"),
    fails: ["a", "b"],
    isSlow: true,
  },
  {
    name: "a workspace of cargo",
    files: {
      "Cargo.toml": '[workspace]\nmembers = ["crates/*"]\nresolver = "2"\n',
      "crates/a/Cargo.toml": '[package]\nname = "a"\nversion = "0.1.0"\n',
      "crates/a/src/lib.rs":
        "pub fn value() -> i32 { 1 }\n\n#[test]\nfn value_is_one() {\n    assert_eq!(value(), 1);\n}\n",
      "crates/b/Cargo.toml": '[package]\nname = "b"\nversion = "0.1.0"\n\n[dependencies]\na = { path = "../a" }\n',
      "crates/b/src/lib.rs": "#[test]\nfn value_of_a() {\n    assert_eq!(a::value(), 1);\n}\n",
      "Cargo.lock":
        'version = 3\n\n[[package]]\nname = "a"\nversion = "0.1.0"\n\n[[package]]\nname = "b"\nversion = "0.1.0"\ndependencies = [\n "a",\n]\n',
      ".gitignore": "target\n",
    },
    targets: ["a", "b"],
    breaks: edit("crates/a/src/lib.rs", "{ 1 }", "{ 2 }"),
    fails: ["a", "b"],
    isSlow: true,
  },
  {
    name: "a workspace of pnpm at depth, with the manager that it pins",
    files: {
      "package.json": json({ name: "mono", private: true, packageManager: "pnpm@10.12.1" }),
      "pnpm-workspace.yaml": "packages:\n  - 'libs/*/*'\n  - apps/*\n",
      "libs/core/a/package.json": member("@m/a"),
      "libs/core/a/index.js": "export const value = 1;\n",
      "libs/core/a/a.test.js": nodeTest('import { value } from "./index.js";', "1"),
      "apps/b/package.json": member("@m/b", { dependencies: { "@m/a": "workspace:*" } }),
      "apps/b/b.test.js": nodeTest('import { value } from "@m/a";', "1"),
      ".gitignore": "node_modules\n",
    },
    targets: ["a", "b"],
    breaks: edit("libs/core/a/index.js", "value = 1", "value = 2"),
    fails: ["a", "b"],
  },
  {
    name: "a workspace of yarn, at its first version",
    files: {
      "package.json": json({ name: "mono", private: true, packageManager: "yarn@1.22.22", workspaces: ["packages/*"] }),
      "packages/a/package.json": member("@m/a"),
      "packages/a/index.js": "export const value = 1;\n",
      "packages/a/a.test.js": nodeTest('import { value } from "./index.js";', "1"),
      "packages/b/package.json": member("@m/b", { dependencies: { "@m/a": "1.0.0" } }),
      "packages/b/b.test.js": nodeTest('import { value } from "@m/a";', "1"),
      ".gitignore": "node_modules\n",
    },
    targets: ["a", "b"],
    breaks: edit("packages/a/index.js", "value = 1", "value = 2"),
    fails: ["a", "b"],
  },
  {
    name: "bun, with its lock file",
    files: {
      "package.json": json({ name: "x", type: "module", scripts: { test: "bun test" } }),
      "bun.lock":
        '{\n  "lockfileVersion": 1,\n  "workspaces": {\n    "": {\n      "name": "x",\n    },\n  },\n  "packages": {}\n}\n',
      "value.ts": "export const value: number = 1;\n",
      "value.test.ts":
        'import { expect, test } from "bun:test";\nimport { value } from "./value";\n\ntest("value", () => expect(value).toBe(1));\n',
    },
    targets: ["app"],
    breaks: edit("value.ts", "= 1", "= 2"),
    fails: ["app"],
  },
  {
    name: "mocha, and a Node that .nvmrc and engines pin",
    files: {
      "package.json": json({
        name: "x",
        type: "module",
        engines: { node: ">=20" },
        scripts: { test: "mocha" },
        devDependencies: { mocha: "^11.0.0" },
      }),
      ".nvmrc": "v22\n",
      "value.js": "export const value = 1;\n",
      "test/value.js":
        'import assert from "node:assert";\nimport { value } from "../value.js";\nit("value", () => assert.equal(value, 1));\n',
      ".gitignore": "node_modules\n",
    },
    targets: ["app"],
    breaks: edit("value.js", "value = 1", "value = 2"),
    fails: ["app"],
    tests: "1 passed",
  },
  {
    name: "ava",
    files: {
      "package.json": json({ name: "x", type: "module", scripts: { test: "ava" }, devDependencies: { ava: "^6.0.0" } }),
      "value.js": "export const value = 1;\n",
      "test.js":
        'import test from "ava";\nimport { value } from "./value.js";\ntest("value", (t) => t.is(value, 1));\n',
      ".gitignore": "node_modules\n",
    },
    targets: ["app"],
    breaks: edit("value.js", "value = 1", "value = 2"),
    fails: ["app"],
    tests: "1 passed",
  },
  {
    name: "jest",
    files: {
      "package.json": json({ name: "x", scripts: { test: "jest" }, devDependencies: { jest: "^30.0.0" } }),
      "value.js": "exports.value = 1;\n",
      "value.test.js": 'const { value } = require("./value.js");\ntest("value", () => expect(value).toBe(1));\n',
      ".gitignore": "node_modules\n",
    },
    lock: "npm",
    targets: ["app"],
    breaks: edit("value.js", "value = 1", "value = 2"),
    fails: ["app"],
    tests: "1 passed",
  },
  {
    name: "vitest, with hooks of git that no container needs",
    files: {
      "package.json": json({
        name: "x",
        type: "module",
        scripts: { prepare: "husky", test: "vitest run" },
        devDependencies: { husky: "^9.0.0", vitest: "^4.0.0" },
      }),
      "value.ts": "export const value = 1;\n",
      "value.test.ts":
        'import { expect, test } from "vitest";\nimport { value } from "./value.ts";\ntest("value", () => expect(value).toBe(1));\n',
      ".gitignore": "node_modules\n",
    },
    lock: "npm",
    targets: ["app"],
    breaks: edit("value.ts", "value = 1", "value = 2"),
    fails: ["app"],
    tests: "1 passed",
  },
  {
    name: "uv, with its lock file and a range of Pythons",
    files: {
      "pyproject.toml":
        '[project]\nname = "thing"\nversion = "1.0"\nrequires-python = ">=3.9"\n\n[tool.uv]\npackage = false\n',
      "uv.lock":
        'version = 1\nrequires-python = ">=3.9"\n\n[[package]]\nname = "thing"\nversion = "1.0"\nsource = { virtual = "." }\n',
      "thing.py": pySource,
      "test_thing.py": unittest,
    },
    targets: ["app"],
    breaks: edit("thing.py"),
    fails: ["app"],
    tests: "1 passed",
  },
  {
    name: "poetry's own tables, without a lock file",
    files: {
      "pyproject.toml":
        '[tool.poetry]\nname = "thing"\nversion = "1.0"\ndescription = ""\nauthors = []\n\n[tool.poetry.dependencies]\npython = "^3.9"\n\n[tool.poetry.group.dev.dependencies]\npytest = "*"\n\n[build-system]\nrequires = ["poetry-core"]\nbuild-backend = "poetry.core.masonry.api"\n',
      "thing/__init__.py": pySource,
      "tests/test_thing.py": pyTest,
    },
    targets: ["app"],
    breaks: edit("thing/__init__.py"),
    fails: ["app"],
    tests: "1 passed",
  },
  {
    name: "hatch, whose environment has what the tests need",
    files: {
      "pyproject.toml":
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n\n[project]\nname = "thing"\nversion = "1.0"\n\n[tool.hatch.envs.default]\ndependencies = ["pytest"]\n',
      "src/thing/__init__.py": pySource,
      "tests/test_thing.py": pyTest,
    },
    targets: ["app"],
    breaks: edit("src/thing/__init__.py"),
    fails: ["app"],
    tests: "1 passed",
  },
  {
    name: "tox, which says what the tests need",
    files: {
      "setup.cfg": "[metadata]\nname = thing\nversion = 1.0\n\n[options]\npy_modules = thing\n",
      "setup.py": "from setuptools import setup\n\nsetup()\n",
      "tox.ini": "[tox]\nenvlist = py\n\n[testenv]\ndeps =\n    pytest\n    iniconfig\ncommands = pytest {posargs}\n",
      "thing.py": pySource,
      "tests/test_thing.py": `import iniconfig  # noqa: F401\n${pyTest}`,
    },
    targets: ["app"],
    breaks: edit("thing.py"),
    fails: ["app"],
    tests: "1 passed",
  },
  {
    name: "nox, and a group of dependencies for the tests",
    files: {
      "noxfile.py":
        'import nox\n\n\n@nox.session\ndef tests(session):\n    session.install("-e", ".")\n    session.run("pytest")\n',
      "pyproject.toml":
        '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n\n[project]\nname = "thing"\nversion = "1.0"\n\n[dependency-groups]\ntest = ["pytest"]\n\n[tool.setuptools]\npy-modules = ["thing"]\n',
      "thing.py": pySource,
      "tests/test_thing.py": pyTest,
    },
    targets: ["app"],
    breaks: edit("thing.py"),
    fails: ["app"],
    tests: "1 passed",
  },
];
