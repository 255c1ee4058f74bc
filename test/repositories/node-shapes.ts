/** Repositories of packages for Node, alone and in workspaces. */
import { json, nodeTest, member, pyTest, pySource, edit, type Shape } from "./shape.ts";

export const nodeShapes: readonly Shape[] = [
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
    name: "a workspace of npm whose packages start a program of one of them",
    files: {
      "package.json": json({
        name: "mono",
        private: true,
        workspaces: ["packages/*"],
        scripts: { test: "npm test --workspaces" },
      }),
      "packages/tool/package.json": json({ name: "tool", version: "1.0.0", bin: { "run-it": "cli.js" } }),
      "packages/tool/cli.js":
        '#!/usr/bin/env node\nconst { spawnSync } = require("node:child_process");\nprocess.exit(spawnSync("node", ["--test"], { stdio: "inherit" }).status);\n',
      "packages/a/package.json": member("a", { devDependencies: { tool: "*" }, scripts: { test: "run-it" } }),
      "packages/a/value.js": "export const value = 1;\n",
      "packages/a/value.test.js": nodeTest('import { value } from "./value.js";', "1"),
    },
    lock: "npm",
    targets: ["a"],
    breaks: edit("packages/a/value.js", "value = 1", "value = 2"),
    fails: ["a"],
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
    name: "a workspace of pnpm at depth, with the manager and the Node that it pins",
    files: {
      ".nvmrc": "20\n",
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
      "package.json": json({
        name: "x",
        type: "module",
        scripts: { test: "bun test" },
        devDependencies: { ms: "2.1.3" },
      }),
      "bun.lock": `{
  "lockfileVersion": 2,
  "configVersion": 1,
  "workspaces": {
    "": {
      "name": "x",
      "devDependencies": {
        "ms": "2.1.3",
      },
    },
  },
  "packages": {
    "ms": ["ms@2.1.3", "", {}, "sha512-6FlzubTLZG3J2a/NVCAleEhjzq5oxgHyaCU9yYXvcLsvoVaHJq/s5xXI6/XXP6tz7R9xAOtHnSO/tXtF3WRTlA=="],
  }
}
`,
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
    name: "a workspace of npm in a folder of its own",
    files: {
      "web/package.json": json({ private: true, workspaces: ["packages/*"] }),
      "web/packages/a/package.json": member("a"),
      "web/packages/a/index.js": "export const value = 1;\n",
      "web/packages/a/a.test.js": nodeTest('import { value } from "./index.js";', "1"),
      "web/packages/b/package.json": member("b", { dependencies: { a: "*" } }),
      "web/packages/b/b.test.js": nodeTest('import { value } from "a";', "1"),
    },
    targets: ["a", "b"],
    breaks: edit("web/packages/a/index.js", "= 1", "= 2"),
    fails: ["a", "b"],
  },
];
