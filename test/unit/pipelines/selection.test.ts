import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import {
  javascriptGraph,
  javascriptListing,
  pythonGraph,
  pythonListing,
  testsReaching,
} from "../../../pipelines/src/import-graph.ts";
import { cargoGraph, cargoWords, goGraph, goWords, packagesReaching } from "../../../pipelines/src/package-graph.ts";
import { selectTests } from "../../../pipelines/src/selection.ts";
import { resolveSuite } from "../../../src/config/presets.ts";
import type { SuiteConfig } from "../../../src/config/types.ts";

describe("what a change means for a suite", () => {
  const suite = (config: Partial<SuiteConfig>) =>
    resolveSuite({ preset: "npm", sources: ["lib/"], cwd: "lib", tiers: {}, ...config });

  test("nothing, when the suite reads none of the files", () => {
    expect(selectTests(suite({ runner: "vitest" }), ["worker/a.py"])).toEqual({ kind: "none" });
  });

  test("all, when a manifest changed, no runner is named, or the file is no code", () => {
    expect(selectTests(suite({ runner: "vitest" }), ["package-lock.json"])).toEqual({
      kind: "all",
      because: "package-lock.json changed",
    });
    expect(selectTests(suite({}), ["lib/a.ts"])).toMatchObject({ kind: "all" });
    expect(selectTests(suite({ runner: "node" }), ["lib/page.html"])).toMatchObject({
      kind: "all",
      because: expect.stringContaining("page.html") as string,
    });
    expect(selectTests(suite({ runner: "pytest" }), ["lib/conftest.py"])).toMatchObject({ kind: "all" });
  });

  test.each([
    ["**/*.ts", "lib/a/b.ts", true],
    ["**/*.ts", "b.ts", true],
    ["lib/**/b.?s", "lib/b.ts", true],
    ["lib/*/b.ts", "lib/a/c/b.ts", false],
    ["lib/**b.ts", "lib/a/cb.ts", true],
    ["lib/a.ts", "lib/a-ts", false],
    ["lib/(a|b)+.ts", "lib/(a|b)+.ts", true],
    ["lib/😀.ts", "lib/😀.ts", true],
    ["lib/?.ts", "lib/😀.ts", true],
    [`${"**/*".repeat(30)}.js`, "a/".repeat(40), false],
  ])("a pattern of its sources, %s, and %s", (pattern, file, isRead) => {
    const { kind } = selectTests(suite({ sources: [pattern] }), [file]);
    expect(kind).toBe(isRead ? "all" : "none");
  });

  test("all, when a file that the suite reads lies outside of where its tests run", () => {
    expect(selectTests(suite({ runner: "vitest", sources: ["lib/", "api/"] }), ["api/src/b.ts"])).toMatchObject({
      kind: "all",
    });
  });

  test("all, when the configuration or something that its image is built from changed", () => {
    expect(selectTests(suite({ runner: "vitest" }), ["fastloop.yaml"])).toMatchObject({ kind: "all" });
    expect(selectTests(suite({ runner: "vitest" }), ["requirements.txt"], ["requirements*.txt", "app/"])).toEqual({
      kind: "all",
      because: "requirements.txt changed, which is in its image",
    });
  });

  test("to look for what reaches it, otherwise", () => {
    expect(selectTests(suite({ runner: "jest" }), ["lib/src/a.ts"])).toEqual({ kind: "trace", changed: ["src/a.ts"] });
    expect(
      selectTests(suite({ runner: "go", preset: "go", root: "svc", sources: ["./"], cwd: undefined }), [
        "svc/x/testdata/in.txt",
      ]),
    ).toEqual({ kind: "trace", changed: ["x/testdata/in.txt"] });
  });
});

const folders: string[] = [];
afterEach(() => folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true, force: true })));

/** The listing as a container would answer it. */
function listingOf(files: Record<string, string>, script: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), "fastloop-graph-"));
  folders.push(folder);
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    writeFileSync(path.join(folder, file), text);
  }
  return execFileSync("sh", ["-ec", script], { cwd: folder, encoding: "utf8" });
}

describe("JavaScript and TypeScript: a quoted relative path is an import", () => {
  const files = {
    "src/money.ts": "export const a = 1;\n",
    "src/cart.ts": 'import { a } from "./money.js";\n',
    "src/data.json": "{}",
    "src/other/index.ts": 'export * from "../cart";\n',
    "test/money.test.ts": 'import "../src/money.ts";\n',
    "test/cart.test.ts": "vi.mock('../src/cart');\nconst data = require(`../src/data.json`);\n",
    "test/other.test.ts": 'const x = await import("../src/other");\n',
    "test/none.test.ts": 'import "left-pad";\n',
    "node_modules/x/index.js": 'require("../../src/money")',
  };
  const tests = Object.keys(files).filter((file) => file.startsWith("test/"));
  const graph = () => javascriptGraph(listingOf(files, javascriptListing(undefined)));

  test("tests are found through what they import, all the way", () => {
    expect(testsReaching(graph(), tests, ["src/money.ts"])).toEqual([
      "test/money.test.ts",
      "test/cart.test.ts",
      "test/other.test.ts",
    ]);
    expect(testsReaching(graph(), tests, ["src/data.json"])).toEqual(["test/cart.test.ts"]);
    expect(testsReaching(graph(), tests, ["test/none.test.ts"])).toEqual(["test/none.test.ts"]);
  });

  test("a file that is gone tells nothing: all", () => {
    expect(testsReaching(graph(), tests, ["src/gone.ts"])).toBeUndefined();
  });

  test.each([
    ["starts processes", 'import { spawn } from "node:child_process";'],
    ["computes an import", "await import(name);"],
    ["imports by an alias", 'import x from "#internal";'],
    ["imports its own package", 'import x from "@acme/own/part";'],
    ["builds a path", "readFile(`../src/${name}`)"],
  ])("a test that %s always runs", (_, text) => {
    const own = { ...files, "test/none.test.ts": text };
    expect(
      testsReaching(
        javascriptGraph(listingOf(own, javascriptListing("@acme/own"))),
        ["test/none.test.ts"],
        ["src/data.json"],
      ),
    ).toEqual(["test/none.test.ts"]);
  });
});

describe("Python: a module is any file whose path ends with its name", () => {
  const files = {
    "src/shop/__init__.py": "",
    "src/shop/money.py": "",
    "src/shop/cart.py": "from . import money\n",
    "src/shop/report.py": "from .cart import (\n  total,\n)\n",
    "tests/test_money.py": "import shop.money as m, os\n",
    "tests/test_report.py": "def test():\n    from shop import report\n",
    "tests/test_none.py": "import json\n",
    "tests/test_star.py": "from shop import *\n",
  };
  const tests = Object.keys(files).filter((file) => file.startsWith("tests/"));
  const reach = (own: Record<string, string>, changed: string) =>
    testsReaching(pythonGraph(listingOf(own, pythonListing)), tests, [changed]);

  test("tests are found through what they import, relative imports and packages included", () => {
    expect(reach(files, "src/shop/money.py")).toEqual([
      "tests/test_money.py",
      "tests/test_report.py",
      "tests/test_star.py",
    ]);
    expect(reach(files, "src/shop/__init__.py")).toEqual([
      "tests/test_money.py",
      "tests/test_report.py",
      "tests/test_star.py",
    ]);
    expect(reach(files, "tests/test_none.py")).toEqual(["tests/test_none.py"]);
  });

  test("a test that starts processes always runs", () => {
    expect(reach({ ...files, "tests/test_none.py": "import subprocess\n" }, "src/shop/money.py")).toContain(
      "tests/test_none.py",
    );
  });
});

describe("go and cargo: packages", () => {
  const go = goGraph(
    [
      "/app",
      "m/a|/app/a|fmt|testing,",
      "m/b|/app/b|fmt,m/a|testing,",
      "m/c|/app/c|fmt|os/exec,testing,",
      "m/d|/app|fmt|testing,",
      "m/d.test|/app|m/d [m/d.test],m/a,testing|,",
      "m/d [m/d.test]|/app|fmt|,",
    ].join("\n"),
  );

  test("go: what is linked into a package's tests counts, and tests that start processes always run", () => {
    expect(goWords(packagesReaching(go, ["a/a.go"])!)).toEqual(["./a", "./b", "./c", "."]);
    expect(goWords(packagesReaching(go, ["b/testdata/x"])!)).toEqual(["./b", "./c"]);
    expect(goWords(packagesReaching(go, ["main.go"])!)).toEqual(["./c", "."]);
  });

  const cargo = cargoGraph(
    `/app\n${JSON.stringify({
      packages: [
        { name: "core", manifest_path: "/app/core/Cargo.toml", dependencies: [{ name: "serde" }] },
        { name: "cli", manifest_path: "/app/cli/Cargo.toml", dependencies: [{ name: "core", path: "/app/core" }] },
      ],
    })}`,
  );

  test("cargo: dependents by path are included, and a single integration test is asked for alone", () => {
    expect(cargoWords(packagesReaching(cargo, ["core/src/lib.rs"])!)).toEqual(["-p", "core", "-p", "cli"]);
    const changed = ["cli/tests/end.rs"];
    expect(cargoWords(packagesReaching(cargo, changed)!, changed)).toEqual(["-p", "cli", "--test", "end"]);
    expect(packagesReaching(cargo, ["README.rs"])).toBeUndefined();
  });
});
