import { describe, expect, test } from "vitest";
import { detectProject, scaffoldConfig, type DetectedSuite, type Detection } from "../../../src/detect/index.ts";

type Files = Record<string, string>;

function detect(files: Files): Detection {
  const list = Object.keys(files).toSorted();
  return detectProject({ list, read: (file) => files[file] ?? "" });
}

const named = (files: Files): Record<string, DetectedSuite> =>
  Object.fromEntries(detect(files).suites.map((suite) => [suite.name, suite]));

describe("a workspace of uv", () => {
  const member = (name: string, dependencies: string[] = [], more = ""): string =>
    `[project]\nname = "${name}"\ndependencies = ${JSON.stringify(dependencies)}\n[build-system]\nrequires = ["hatchling"]\n${more}`;
  const workspace = (more = ""): string =>
    `[project]\nname = "mono"\n[tool.uv.workspace]\nmembers = ["packages/*"]\nexclude = ["packages/old"]\n${more}`;
  const files: Files = {
    "pyproject.toml": workspace(),
    "uv.lock": 'name = "pytest"\n',
    "README.md": "",
    "packages/My_Lib/pyproject.toml": member("My_Lib", [], '[dependency-groups]\ntest = ["pytest"]\n'),
    "packages/My_Lib/tests/test_lib.py": "",
    "packages/types/pyproject.toml": member("types"),
    "packages/api/pyproject.toml": member("api", ["my-lib>=1", "types", "httpx"]),
    "packages/api/tests/test_api.py": "",
    "packages/old/pyproject.toml": member("old"),
    "packages/old/uv.lock": "",
    "packages/old/test_old.py": "",
  };

  test("has a suite for each member with tests, which waits for those that it is made of", () => {
    const { My_Lib: lib, api, ...others } = named(files);
    expect(Object.keys(others)).toEqual(["old"]);
    expect(lib).toMatchObject({ folder: "packages/My_Lib", needs: [], alone: false, preset: "uv" });
    expect(api?.needs).toEqual(["My_Lib"]);
    expect(api?.tiers.fast).toEqual([
      "uv sync --frozen --all-packages --group test --inexact --quiet",
      "(cd packages/api && python -m pytest $TEST_ARGS)",
    ]);
    expect(others["old"]).toMatchObject({ alone: true });
  });

  test("an edit concerns the members that are made of what was edited", () => {
    const { My_Lib: lib, api } = named(files);
    expect(api?.inputs).toEqual(["pyproject.toml", "uv.lock", "packages/My_Lib/", "packages/api/", "packages/types/"]);
    expect(lib?.inputs).toEqual(["pyproject.toml", "uv.lock", "packages/My_Lib/"]);
  });

  test("members without tests are told, and the root has a suite of its own where it has tests of its own", () => {
    const { notes, suites } = detect({ ...files, "tests/test_all.py": "" });
    expect(notes).toEqual([expect.stringContaining("packages/types/pyproject.toml: no tests were found")]);
    const root = suites.find(({ folder }) => folder === "");
    expect(root?.tiers.fast?.at(-1)).toBe("python -m pytest --ignore=packages/My_Lib --ignore=packages/api $TEST_ARGS");
    expect(root?.inputs).toEqual(["**", "!README.md"]);
  });

  test("is tested from its root where pytest is told there to look into the members", () => {
    const told = '[tool.pytest.ini_options]\ntestpaths = ["tests", "packages"]\n';
    expect(Object.keys(named({ ...files, "pyproject.toml": workspace(told) }))).toEqual(["app", "old"]);
  });

  test("is tested with a Python that all of its packages take", () => {
    const types = '[project]\nname = "types"\nrequires-python = ">=3.12"\n';
    expect(named({ ...files, "packages/types/pyproject.toml": types })["api"]?.image).toBe("python:3.12-slim-bookworm");
  });

  test("which no image of this machine has is told before the first run", () => {
    const types = '[project]\nname = "types"\nrequires-python = ">=3.13"\n';
    const some: Record<string, string> = { ...files, "packages/types/pyproject.toml": types };
    const notes = (pythons: number[]): string =>
      detectProject({ list: Object.keys(some), read: (file) => some[file] ?? "" }, { pythons }).notes.join("\n");
    expect(notes([11])).toContain("this machine's own image has 3.11; `image` of the suite names one that has 3.13");
    expect(notes([])).not.toContain("3.13");
  });

  test("has no aliases where it is written", () => {
    expect(scaffoldConfig({ project: "x", module: "fastloop" }, detect(files))).not.toMatch(/[&*]a\d/);
  });

  test("below the project's root it stands alone", () => {
    const { api } = named(Object.fromEntries(Object.entries(files).map(([file, text]) => [`py/${file}`, text])));
    expect(api).toMatchObject({ alone: true, root: "py", folder: "py/packages/api" });
    expect(api?.tiers.fast?.at(-1)).toBe("(cd packages/api && python -m pytest $TEST_ARGS)");
    expect(api?.inputs).toContain("py/packages/types/");
  });
});

describe("modules of Go", () => {
  const go = (name: string, more = ""): string => `module example.com/${name}\n${more}`;

  test("the root's target is not concerned by modules below it, unless it is made of them", () => {
    const files = {
      "go.mod": go("x"),
      "x.go": "package x\n",
      "exp/go.mod": go("x/exp", "require example.com/x v0.0.0\nreplace example.com/x => ../\n"),
      "exp/y.go": "package y\n",
    };
    const { app, exp } = named(files);
    expect(app?.inputs).toEqual(["**", "!exp/"]);
    expect(exp?.needs).toEqual(["app"]);
    expect(exp?.inputs).toEqual(["go.mod", "x.go", "exp/"]);
    expect(named({ ...files, "go.work": "use ./\nuse ./exp\n" })["app"]?.inputs).toBeUndefined();
    const made = go("x", "require example.com/x/exp v0.0.0\nreplace example.com/x/exp => ./exp\n");
    expect(named({ ...files, "go.mod": made })["app"]?.inputs).toBeUndefined();
  });

  test("one that go.work does not use is tested without it", () => {
    const files = {
      "go.work": "use ./a\n",
      "go.mod": go("x"),
      "x.go": "package x\n",
      "a/go.mod": go("x/a"),
      "a/a.go": "package a\n",
      "b/go.mod": go("x/b", "require example.com/x/a v0.0.0\nreplace example.com/x/a => ../a\n"),
      "b/b.go": "package b\n",
      "c/go.mod": go("x/c"),
      "c/c.go": "package c\n",
    };
    const { app, a, b, c } = named(files);
    expect([app?.env, a?.env, b?.env]).toEqual([
      { GOWORK: "off" },
      { GOMODCACHE: "/var/cache/go-mod" },
      { GOMODCACHE: "/var/cache/go-mod", GOWORK: "off" },
    ]);
    expect([a?.alone, b?.alone, c?.alone]).toEqual([false, false, true]);
    expect(b?.manifests).not.toContain("go.work");
  });

  test("a module that is there to list tools has no suite", () => {
    const suites = named({
      "go.mod": go("x"),
      "x.go": "package x\n",
      "tools/go.mod": go("x/tools"),
      "tools/tools.go": "//go:build tools\n\npackage tools\n",
    });
    expect(Object.keys(suites)).toEqual(["app"]);
  });

  test("what a module needs at second hand concerns it, too", () => {
    const { c } = named({
      "go.work": "use (\n\t./a // (the first)\n\t./b // both\n\t./c\n)\n",
      "a/go.mod": go("a"),
      "a/a.go": "package a\n",
      "b/go.mod": go("b", "require example.com/a v0.0.0\n"),
      "b/b.go": "package b\n",
      "c/go.mod": go("c", "require example.com/b v0.0.0\n"),
      "c/c.go": "package c\n",
    });
    expect(c?.inputs).toEqual(["go.work", "a/", "b/", "c/"]);
    expect(c?.needs).toEqual(["b"]);
  });

  test("needs follow a suite that is named otherwise since another language took its name", () => {
    const { exp } = named({
      "package.json": JSON.stringify({ scripts: { test: "node --test" } }),
      "go.mod": go("x"),
      "x.go": "package x\n",
      "exp/go.mod": go("x/exp", "require example.com/x v0.0.0\nreplace example.com/x => ../\n"),
      "exp/y.go": "package y\n",
    });
    expect(exp?.needs).toEqual(["app-go"]);
  });
});

test("a crate at the root is concerned by those that it is made of, on whatever platform, and by no other", () => {
  const crate = (name: string, more = ""): string => `[package]\nname = "${name}"\nversion = "1.0.0"\n${more}`;
  const { app } = named({
    "Cargo.toml": crate(
      "x",
      '[workspace]\nmembers = ["unix", "other"]\n[target."cfg(unix)".dependencies]\nunix = { path = "unix" }\n',
    ),
    "src/lib.rs": "",
    "unix/Cargo.toml": crate("unix"),
    "unix/src/lib.rs": "",
    "other/Cargo.toml": crate("other"),
    "other/src/lib.rs": "",
  });
  expect(app?.needs).toEqual(["unix"]);
  expect(app?.inputs).toEqual(["**", "!other/"]);
});

test("bun's filter hands a script to the packages of a workspace", () => {
  const script = (test: string): string => JSON.stringify({ name: "x", workspaces: ["web"], scripts: { test } });
  const suites = named({
    "bun.lock": "",
    "package.json": script("bun run --filter web test"),
    "web/package.json": script("vitest run"),
  });
  expect(suites["web"]?.tiers.fast).toEqual(["(cd web && npm run test)"]);
});

test("programs of a workspace's packages are there for the install, which links them", () => {
  const { app } = named({
    "package.json": JSON.stringify({ workspaces: ["packages/*"], scripts: { test: "build-it && node --test" } }),
    "package-lock.json": "{}",
    "packages/build/package.json": JSON.stringify({
      name: "build",
      bin: { "build-it": "./cli.js", gone: "dist/x.js" },
    }),
    "packages/build/cli.js": "",
    "packages/other/package.json": JSON.stringify({ name: "@x/other", bin: "other.js" }),
    "packages/other/other.js": "",
  });
  expect(app?.manifests).toEqual([
    "**/package.json",
    "package-lock.json",
    ".npmrc",
    "packages/build/cli.js",
    "packages/other/other.js",
  ]);
  expect(app?.tiers.fast).toEqual(["chmod +x packages/build/cli.js", "npm run test"]);
});

test("a package without tests is told once, not how it would be installed", () => {
  const { notes } = detect({ "helpers/package.json": JSON.stringify({ name: "helpers" }) });
  expect(notes).toEqual(["helpers/package.json has no script that tests or checks anything"]);
});

test("a root that hands its tests over to packages whose tests are left out has none", () => {
  const { suites } = detect({
    "package.json": JSON.stringify({ workspaces: ["web"], scripts: { lint: "oxlint", test: "turbo test" } }),
    "package-lock.json": "{}",
    "web/package.json": JSON.stringify({ name: "web", scripts: { test: "playwright test" } }),
  });
  expect(suites.map(({ tiers }) => tiers)).toEqual([{ smoke: ["npm run lint"] }]);
});

test("the lines of services are for those who have a client, and name nothing that people look at", () => {
  const { notes } = detect({
    "package.json": JSON.stringify({ scripts: { test: "node --test" } }),
    "package-lock.json": "{}",
    "api/pyproject.toml": '[project]\nname = "api"\ndependencies = ["psycopg[binary]>=3"]\n',
    "api/tests/test_api.py": "",
    "compose.yml": "services:\n  db:\n    image: postgres:18\n  proxy:\n    image: traefik:3.6\n",
  });
  expect(notes.join("\n")).toContain("compose.yml starts postgres:18 (");
  expect(notes.join("\n")).toMatch(/ {6}db: \{ preset: postgres \}\n {4}suites:\n {6}api: \{ services: \[db\] \}$/);
});

test.each([
  ["a list in brackets", { "pnpm-workspace.yaml": "packages: ['libs/*'] # all\n" }, {}, ["a"]],
  ["a list with a comment", { "pnpm-workspace.yaml": "packages:\n  - libs/* # all\n" }, {}, ["a"]],
  ["no list", { "pnpm-workspace.yaml": "packages: libs\n" }, {}, []],
  ["what is no map", { "pnpm-workspace.yaml": "- packages\n" }, {}, []],
  ["packages that are no list, in package.json", {}, { workspaces: { packages: "libs/*" } }, []],
  ["entries that are no texts, in package.json", {}, { workspaces: [1, null, "libs/*"] }, ["a"]],
])("members of a workspace by %s", (_title, files, more, expected) => {
  const manifest = (name: string, others: object): string =>
    JSON.stringify({ name, ...others, scripts: { test: "node --test" } });
  const { suites } = detect({
    ...files,
    "package.json": JSON.stringify({ name: "mono", private: true, ...more }),
    "package-lock.json": "{}",
    "libs/a/package.json": manifest("a", {}),
    "libs/a/a.test.js": "",
  });
  expect(suites.filter(({ alone }) => !alone).map(({ name }) => name)).toEqual(expected);
});

test("in a workspace of a hundred packages each has the folders of what it is made of, not those of all", () => {
  const files: Files = {
    "package.json": JSON.stringify({ name: "many", workspaces: ["p/*"] }),
    "package-lock.json": "{}",
  };
  for (let at = 0; at < 100; at++)
    files[`p/p${at}/package.json`] = JSON.stringify({
      name: `p${at}`,
      scripts: { test: "node --test" },
      dependencies: at % 10 === 0 ? {} : { [`p${at - 1}`]: "1" },
    });
  const { suites } = detect(files);
  expect(suites).toHaveLength(100);
  expect(suites.find(({ name }) => name === "p12")?.installed).toEqual([
    "node_modules",
    ...["p10", "p11", "p12"].map((name) => `p/${name}/node_modules`),
  ]);
  // What its sources name by a path concerns it, too, with all that this is made of.
  files["p/p20/test/p20.test.js"] = 'import { a } from "../../p41/src/a.js";\n';
  const { p20 } = named(files);
  expect(p20?.installed).toEqual(["node_modules", ...["p20", "p40", "p41"].map((name) => `p/${name}/node_modules`)]);
  expect(p20?.inputs).toEqual(expect.arrayContaining(["p/p20/", "p/p40/", "p/p41/"]));
  // A script of the root may be about any of them.
  files["package.json"] = JSON.stringify({ name: "many", workspaces: ["p/*"], scripts: { prepare: "build-all" } });
  expect(named(files)["p12"]?.installed).toHaveLength(101);
});
