import { describe, expect, test } from "vitest";
import { parseConfig } from "../../../src/config/parse.ts";
import { resolveSuite } from "../../../src/config/presets.ts";
import { detectProject, scaffoldConfig, type AvailableImages, type Detection } from "../../../src/detect/index.ts";

type Files = Record<string, string>;

/** A repository as a map of files. */
function detect(files: Files, available: AvailableImages = {}): Detection {
  const list = Object.keys(files).toSorted();
  return detectProject({ list, read: (file) => files[file] ?? "" }, available);
}

const json = (value: unknown): string => JSON.stringify(value);
const only = (files: Files) => {
  const { suites } = detect(files);
  expect(suites).toHaveLength(1);
  return suites[0]!;
};
/** What would be written, read back. */
function configOf(files: Files, available?: AvailableImages) {
  const { config, problems } = parseConfig(
    scaffoldConfig({ project: "small", module: "fastloop" }, detect(files, available)),
  );
  expect(problems).toEqual([]);
  return config!;
}

describe("packages of npm, pnpm and yarn", () => {
  test("a lock file tells the package manager, scripts tell the tiers", () => {
    const suite = only({
      "package.json": json({ scripts: { lint: "x", test: "vitest run", build: "y" } }),
      "pnpm-lock.yaml": "lockfileVersion: '9.0'\n",
    });
    expect(suite).toMatchObject({
      name: "app",
      preset: "pnpm",
      because: "pnpm-lock.yaml",
      runner: "vitest",
      tiers: { smoke: ["pnpm run lint"], fast: ["pnpm run test"], full: ["pnpm run build"] },
    });
  });

  test("what the test script runs already is no tier of its own", () => {
    const scripts = {
      test: "npm run lint && npm run unit",
      lint: "eslint .",
      unit: "node --test",
      typecheck: "tsc",
      build: "tsc -b",
    };
    expect(only({ "package.json": json({ scripts }) }).tiers).toEqual({
      smoke: ["npm run typecheck"],
      fast: ["npm run test"],
      full: ["npm run build"],
    });
  });

  test("a formatter among what the test script calls is left out, and that is said", () => {
    const scripts = {
      test: "npm run build && npm run format && npm run unit",
      build: "tsc -b",
      format: "prettier . --write && xo --fix",
      unit: "node --test",
    };
    const { suites, notes } = detect({ "package.json": json({ scripts }) });
    expect(suites[0]?.tiers).toEqual({ fast: ["npm run build", "npm run unit"] });
    expect(suites[0]?.runner).toBe("node");
    expect(notes).toContain("package.json: `format` rewrites sources and is left out of the tests");
    // One that only looks is part of the tests, and so is all of a script that does more than call others.
    for (const other of [
      { ...scripts, format: "prettier . --check" },
      { ...scripts, test: "npm run format && node --test" },
    ])
      expect(only({ "package.json": json({ scripts: other }) }).tiers.fast).toEqual(["npm run test"]);
  });

  test("tests that start corepack have it, whether the image does or not", () => {
    const files = { "package.json": json({ scripts: { test: "node --test" } }), "package-lock.json": "{}" };
    expect(only({ ...files, "test/pack.test.js": "await exec('corepack enable')" }).install?.[0]).toBe(
      "command -v corepack >/dev/null || { npm install --prefix /opt/corepack corepack && ln -s /opt/corepack/node_modules/.bin/corepack /usr/local/bin/; }",
    );
    expect(only({ ...files, "test/pack.test.js": "// corepack is no subject here" }).install).toEqual(
      only(files).install,
    );
  });

  test("scripts named after the tiers win", () => {
    expect(
      only({ "package.json": json({ scripts: { "test:smoke": "a", "test:full": "b", test: "c" } }) }).tiers,
    ).toEqual({ smoke: ["npm run test:smoke"], full: ["npm run test:full"] });
  });

  test.each([['echo "Error: no test specified" && exit 1'], ["jest --watch"], ["playwright test"]])(
    "%s is no test that ends by itself in a container",
    (script) => {
      expect(detect({ "package.json": json({ scripts: { test: script } }) }).suites).toEqual([]);
    },
  );

  test("each member of a workspace that tests is a suite, and waits for what it is made of", () => {
    const { suites } = detect({
      "package.json": json({ workspaces: ["packages/*"], scripts: { test: "npm test --workspaces" } }),
      "package-lock.json": "{}",
      "packages/a/package.json": json({
        name: "@m/a",
        main: "dist/index.js",
        scripts: { test: "node --test", build: "tsc" },
      }),
      "packages/b/package.json": json({
        name: "@m/b",
        dependencies: { "@m/a": "1" },
        scripts: { test: "node --test" },
      }),
      "packages/b/README.md": "b",
      "packages/b/deep/package.json": json({ scripts: { test: "x" } }),
      "docs/a.md": "a",
    });
    const [a, b] = suites;
    expect(suites.map(({ name }) => name)).toEqual(["a", "b", "deep"]);
    expect(a?.needs).toEqual([]);
    expect(b?.needs).toEqual(["a"]);
    expect(b?.tiers.fast).toEqual(["(cd packages/a && npm run build)", "(cd packages/b && npm run test)"]);
    expect(b?.inputs).toEqual([
      "package-lock.json",
      "package.json",
      "packages/a/",
      "packages/b/",
      "!packages/b/README.md",
    ]);
    expect(b?.installed).toEqual(["node_modules", "packages/a/node_modules", "packages/b/node_modules"]);
  });

  test("where the root tests for all, its members are not tested twice", () => {
    const { suites } = detect({
      "package.json": json({ scripts: { test: "vitest run" } }),
      "pnpm-workspace.yaml": "packages:\n  # the libraries\n  - 'libs/*'\n",
      "pnpm-lock.yaml": "lockfileVersion: '6.0'\n",
      "libs/a/package.json": json({ name: "a", scripts: { test: "vitest run" } }),
    });
    expect(suites.map(({ name }) => name)).toEqual(["app"]);
    expect(suites[0]?.install?.[0]).toBe("npm install --global pnpm@8");
  });

  test("pnpm's settings are read by its installation without a workspace, too", () => {
    const { suites } = detect({
      "package.json": json({ scripts: { test: "node --test" } }),
      "pnpm-workspace.yaml": "overrides:\n  semver: 7.6.0\n",
      "pnpm-lock.yaml": "lockfileVersion: '9.0'\noverrides:\n  semver: 7.6.0\n",
    });
    expect(suites[0]?.manifests).toContain("pnpm-workspace.yaml");
  });

  test("packages that need each other don't wait for each other", () => {
    const member = (name: string, other: string): string =>
      json({ name, devDependencies: { [other]: "*" }, scripts: { test: "node --test" } });
    const { suites } = detect({
      "package.json": json({ workspaces: ["a", "b"], scripts: { test: "npm t -ws" } }),
      "a/package.json": member("a", "b"),
      "b/package.json": member("b", "a"),
    });
    expect(suites.filter(({ needs }) => needs.length > 0)).toHaveLength(1);
  });

  test.each([
    [
      "pnpm, in the workflow",
      {
        "pnpm-lock.yaml": "lockfileVersion: '9.0'\n",
        ".github/workflows/ci.yml":
          "steps:\n  - uses: pnpm/action-setup@0e27 # v6\n    with:\n      run_install: false\n      version: 11.3.0\n",
      },
      "npm install --global pnpm@11.3.0",
    ],
    [
      "pnpm, in the lock file",
      { "pnpm-lock.yaml": "lockfileVersion: '9.0'\n\npatchedDependencies:\n  a@1.0.0: bd55\n" },
      "npm install --global pnpm@11",
    ],
    ["pnpm@9.1.0", { "pnpm-lock.yaml": "" }, "npm install --global pnpm@9.1.0"],
    ["yarn@4.5.0", { "yarn.lock": "__metadata:\n  version: 8\n" }, "npm install --global @yarnpkg/cli-dist@4.5.0"],
    ["npm@11.2.0", { "package-lock.json": "{}" }, "npm install --global npm@11.2.0"],
  ])("the package manager comes in the version that is pinned: %s", (packageManager, lock, command) => {
    expect(
      only({ "package.json": json({ packageManager, scripts: { test: "node --test" } }), ...(lock as Files) })
        .install?.[0],
    ).toBe(command);
  });

  test("what a job of the workflow builds before its tests is built before them, in the root alone", () => {
    const files = {
      "package.json": json({ scripts: { test: "vitest run", build: "tsup" } }),
      "pnpm-lock.yaml": "lockfileVersion: '9.0'\n",
    };
    const fastWith = (workflow: string): unknown =>
      only({ ...files, ".github/workflows/ci.yml": workflow }).tiers["fast"];
    const built = "jobs:\n  test:\n    steps:\n      - run: pnpm build\n      - run: pnpm test && pnpm test:ui\n";
    expect(fastWith(built)).toEqual(["pnpm run build", "pnpm run test"]);
    const inFlow = "jobs: {'a job': {steps: [{run: pnpm build}, {run: 'pnpm test'}]}}\n";
    expect(fastWith(inFlow)).toEqual(["pnpm run build", "pnpm run test"]);
    expect(
      fastWith("jobs:\n  a:\n    steps:\n      - run: npm run build --if-present\n      - run: npm test\n"),
    ).toEqual(["pnpm run build", "pnpm run test"]);
    for (const none of [
      "jobs:\n  build:\n    steps:\n      - run: pnpm build\n  test:\n    steps:\n      - run: pnpm test\n",
      "jobs:\n  test:\n    steps:\n      - run: pnpm test\n      - run: pnpm build\n",
      "jobs:\n  test:\n    steps:\n      - run: pnpm build:docs\n      - run: pnpm test\n",
      // Jobs four blanks in; a comment; the site's own build; no YAML at all.
      "jobs:\n    build:\n        steps:\n            - run: pnpm build\n    test:\n        steps:\n            - run: pnpm test\n",
      "jobs:\n  test:\n    steps:\n      # - run: pnpm build\n      - run: |\n          # pnpm build\n          pnpm test\n",
      "jobs:\n  test:\n    steps:\n      - run: pnpm build\n        working-directory: site\n      - run: pnpm test\n",
      "jobs: {test: {steps: [{run: pnpm build}, {run: pnpm test}]\n",
    ])
      expect(fastWith(none), none).toEqual(["pnpm run test"]);
  });

  test("a long workflow that names no version of pnpm is read in one pass", () => {
    const step = `steps:\n  - uses: pnpm/action-setup@0e27\n${"        some: thing\n".repeat(2000)}`;
    const files = { "package.json": json({ scripts: { test: "x" } }), "pnpm-lock.yaml": "lockfileVersion: '9.0'\n" };
    expect(only({ ...files, ".github/workflows/ci.yml": step }).install?.[0]).toBe("npm install --global pnpm@10");
  });

  test("scripts of an install that need the sources run when these are there, those of dependencies at the install", () => {
    const lock = json({ packages: { "node_modules/esbuild": { hasInstallScript: true }, "node_modules/x": {} } });
    const suite = only({
      "package.json": json({ scripts: { prepare: "husky && tsc", test: "node --test" } }),
      "package-lock.json": lock,
    });
    expect(suite.install).toEqual(["npm ci --no-audit --no-fund --ignore-scripts", "npm rebuild esbuild"]);
    expect(suite.tiers.fast).toEqual(["npm run prepare", "npm run test"]);
    expect(only({ "package.json": json({ scripts: { prepare: "husky", test: "node --test" } }) }).tiers.fast).toEqual([
      "npm run test",
    ]);
  });

  test("tests of what is built are built first", () => {
    const suite = only({
      "package.json": json({ scripts: { build: "tsc", test: "node --test" } }),
      "test/a.test.js": 'import { a } from "../dist/a.js";',
    });
    expect(suite.tiers.fast).toEqual(["npm run build", "npm run test"]);
  });

  test.each([
    [{ ".nvmrc": "v20.11.1\n" }, {}, "node:20-bookworm-slim"],
    [{ ".nvmrc": "14" }, {}, "node:14-bullseye-slim"],
    [{}, { engines: { node: ">=24" } }, "node:24-bookworm-slim"],
    [{}, { engines: { node: "^18 || ^20" } }, "node:20-bookworm-slim"],
    [{}, { engines: { node: ">=18" } }, undefined],
    [{}, { engines: { node: "what ever" } }, undefined],
  ])("the image has the Node that the repository wants: %j %j", (files, extra, image) => {
    expect(
      only({ "package.json": json({ ...extra, scripts: { test: "node --test" } }), ...(files as Files) }).image,
    ).toBe(image);
  });

  test("what the repository's CI tests with at most is the Node where nothing else says one", () => {
    const manifest = (extra: object = {}): Files => ({
      "package.json": json({ ...extra, scripts: { test: "node --test" } }),
      ".github/workflows/ci.yml": "jobs:\n  test:\n    strategy:\n      matrix:\n        nodejs: [8, 16, 18]\n",
    });
    expect(only(manifest()).image).toBe("node:18-bookworm-slim");
    expect(only(manifest({ engines: { node: ">=20" } })).image).toBeUndefined();
    expect(only({ ...manifest(), ".nvmrc": "24" }).image).toBe("node:24-bookworm-slim");
    // The nearest that has an image where all of them are older.
    const old = { ".github/workflows/ci.yml": "with:\n  node-version: [10, 12, 14]\n" };
    expect(only({ ...manifest(), ...old }).image).toBe("node:16-bookworm-slim");
    expect(detect({ ...manifest(), ...old }, { nodes: [22] }).suites[0]?.install?.[0]).toContain("@18");
    expect(only({ ...manifest({ engines: { node: ">=20" } }), ...old }).image).toBeUndefined();
    const newer = { ...manifest(), ".github/workflows/other.yml": "with:\n  node-version: 24.x\n" };
    expect(only(newer).image).toBeUndefined();
  });

  test("a machine with one Node gets another one out of npm's registry", () => {
    const [suite] = detect(
      { "package.json": json({ scripts: { test: "node --test" } }), ".nvmrc": "20.1.0" },
      { nodes: [22] },
    ).suites;
    expect(suite?.image).toBeUndefined();
    expect(suite?.install?.[0]).toMatch(/^npm install --global --prefix \/opt\/node "node-linux-.*@20" && mv -f /);
  });

  test("what every tier begins with is no tier of its own", () => {
    const { tiers } = only({
      "package.json": json({ name: "x", main: "dist/x.js", scripts: { build: "node build.js", test: "uvu test" } }),
      "test/x.js": 'import { x } from "../dist/x.js";\n',
    });
    expect(tiers).toEqual({ fast: ["npm run build", "npm run test"] });
  });

  test("no lock file, browsers, compose files and testcontainers are told", () => {
    const { notes } = detect({
      "package.json": json({
        scripts: { test: "node --test", "test:e2e": "cypress run" },
        devDependencies: { testcontainers: "1" },
      }),
      "compose.yaml": "services:\n  db:\n    image: postgres:17\n",
    });
    expect(notes).toEqual([
      expect.stringContaining("no lock file"),
      expect.stringContaining("tests with cypress are left out"),
      expect.stringContaining("compose.yaml starts postgres:17"),
      expect.stringContaining("testcontainers"),
    ]);
  });

  test("fastloop from an archive outside of the project is not what its tests need", () => {
    const { install } = only({
      "package.json": json({
        scripts: { test: "node --test" },
        devDependencies: {
          fastloop: "file:../fastloop-1.0.0.tgz",
          "@fastloop/engine-linux-x64": "file:../engine.tgz",
          other: "file:../other.tgz",
        },
      }),
      "package-lock.json": "{}",
    });
    expect(install).toContain(
      "npm pkg delete dependencies.fastloop devDependencies.fastloop dependencies.@fastloop/engine-linux-x64 devDependencies.@fastloop/engine-linux-x64",
    );
  });

  test("services are told with the lines that give them to the tests, which are valid as they stand", () => {
    const files = {
      "api/package.json": json({ scripts: { test: "node --test" } }),
      "compose.yaml":
        'services:\n  db:\n    image: postgres:17\n  mail:\n    image: mailhog/mailhog\n    ports: ["8025:8025"]\n  api:\n    build: .\n    image: own\n',
    };
    const note = detect(files).notes.find((each) => each.startsWith("compose.yaml"))!;
    expect(note).toBe(
      `compose.yaml starts postgres:17, mailhog/mailhog (\`fastloop up --from compose.yaml\`); if tests need them, add to fastloop.yaml:
  tests:
    services:
      db: { preset: postgres }
      mail: { image: "mailhog/mailhog", port: 8025 }
    suites:
      api: { services: [db, mail] }`,
    );
    const lines = note
      .split("\n")
      .slice(1)
      .join("\n")
      .replace("services: [db", "preset: npm, tiers: { fast: x }, services: [db");
    expect(parseConfig(`version: 1\n${lines.replaceAll(/^ {2}/gm, "")}\n`).problems).toEqual([]);
    const { notes } = detect({
      "go.mod": "module x\nrequire github.com/testcontainers/modules/redis v1\n",
      "a.go": "",
    });
    expect(notes.join("\n")).toMatch(/go\.mod uses testcontainers[^]*redis: \{ preset: redis \}/);
  });

  test("programs that the tests start are installed", () => {
    const { packages } = detect({
      "package.json": json({ scripts: { test: "node --test" } }),
      "test/a.test.js": 'execSync("git init"); spawn("make", []);',
    });
    expect(packages).toEqual(["git", "make"]);
    const lock = (source: string) => detect({ "pyproject.toml": "", "uv.lock": source, "test_x.py": "" }).packages;
    expect(lock('source = { git = "https://github.com/x/y?rev=1#2" }\n')).toEqual(["git"]);
    expect(lock('source = { registry = "https://pypi.org/simple" }\n')).toEqual([]);
  });
});

describe("Python", () => {
  test("dependencies of pyproject.toml are a layer, the project itself is installed with its sources", () => {
    const suite = only({
      "pyproject.toml":
        '[build-system]\nrequires = ["hatchling"]\n[project]\nname = "x"\nrequires-python = ">=3.9"\n[project.optional-dependencies]\ntests = [\n  "pytest",\n]\ndocs = ["sphinx"]\n',
      "src/x/__init__.py": "",
      "tests/test_x.py": "",
    });
    expect(suite).toMatchObject({ preset: "uv", runner: "pytest", image: undefined });
    expect(suite.install).toContain("uv pip install -r pyproject.toml --extra tests");
    expect(suite.tiers.fast).toEqual(["uv pip install --quiet --no-deps --editable .", "python -m pytest $TEST_ARGS"]);
  });

  test.each([
    ['requires-python = ">=3.12"', "python:3.12-slim-bookworm"],
    ['requires-python = ">=3.9,<3.11"', "python:3.10-slim-bookworm"],
    ['requires-python = "~=3.8"', undefined],
  ])("%s decides the image", (line, image) => {
    expect(
      only({ "pyproject.toml": `[project]\nname = "x"\n${line}\n`, "tests/test_x.py": "import pytest" }).image,
    ).toBe(image);
  });

  test("uv and poetry install as their lock files say, tests' groups and extras included", () => {
    const uv = only({
      "pyproject.toml": '[build-system]\n[project]\nname = "x"\n[dependency-groups]\ntests = ["pytest"]\n',
      "uv.lock": 'name = "pytest"\n',
      "tests/test_x.py": "",
    });
    expect(uv.install?.at(-1)).toBe("uv sync --frozen --group tests --no-install-project");
    const poetry = only({
      "pyproject.toml": "[tool.poetry]\n[tool.poetry.group.test.dependencies]\npytest = '*'\n",
      "poetry.lock": 'name = "pytest"\n',
      "tests/test_x.py": "",
    });
    expect(poetry.install?.at(-1)).toContain("--no-root --no-interaction --with test");
  });

  test("a group for the tests is enough, where that for developers has linters and documents too", () => {
    const groups = (...names: string[]): string =>
      `[project]\nname = "x"\n[dependency-groups]\n${names.map((name) => `${name} = ["pytest"]\n`).join("")}`;
    const installs = (...names: string[]) => only({ "pyproject.toml": groups(...names), "test_x.py": "" }).install;
    expect(installs("dev", "docs", "test")).toContain("uv pip install --group test");
    expect(installs("dev", "docs")).toContain("uv pip install --group dev");
  });

  test("requirements of tests are found, and pytest comes where nothing asks for it", () => {
    const suite = only({
      "setup.py": "",
      "requirements-dev.txt": "x",
      "requirements/docs.txt": "y",
      "tests/conftest.py": "",
    });
    expect(suite.install?.join("\n")).toContain("-r requirements-dev.txt");
    expect(suite.install?.join("\n")).not.toContain("docs.txt");
    expect(suite.install?.at(-1)).toBe("python -c 'import pytest' 2>/dev/null || uv pip install pytest");
  });

  test("what hatch's environments and tox add is installed, too", () => {
    const suite = only({
      "pyproject.toml": '[project]\nname = "x"\n[tool.hatch.envs.hatch-test]\nextra-dependencies = ["hypothesis>=6"]\n',
      "tox.ini": "[testenv]\ndeps =\n  pytest-mock\n  py310: old\n",
      "tests/test_x.py": "import pytest",
    });
    expect(suite.install).toContain(
      "uv pip install 'hypothesis>=6' pytest pytest-mock pytest-rerunfailures 'pytest-xdist[psutil]'",
    );
  });

  test("keys with dots are the tables that they mean, and a damaged pyproject.toml asks for nothing", () => {
    const dotted = only({
      "pyproject.toml": '[project]\nname = "x"\noptional-dependencies.tests = ["pytest"]\n',
      "tests/test_x.py": "",
    });
    expect(dotted.install).toContain("uv pip install -r pyproject.toml --extra tests");
    expect(
      only({ "pyproject.toml": "[project\n", "tests/test_x.py": "import pytest", "tests/conftest.py": "" }).tiers.fast,
    ).toEqual(["python -m pytest $TEST_ARGS"]);
  });

  test("pdm comes as it was released, and needs no history for a version", () => {
    const suite = only({
      "pyproject.toml": '[project]\nname = "x"\n[tool.pdm.version]\nsource = "scm"\n[tool.pytest.ini_options]\n',
      "pdm.lock": 'name = "pytest"\n',
      "tests/test_x.py": "",
    });
    expect(suite.install).toContain("/opt/pdm/bin/pip install --disable-pip-version-check 'pdm[locked]'");
    expect(suite.env).toMatchObject({ PDM_BUILD_SCM_VERSION: "0.0.0" });
  });

  test("without tests the sources are compiled, and that is said", () => {
    const found = detect({ "requirements.txt": "flask\n", "app.py": "" });
    expect(found.suites[0]?.tiers).toEqual({ smoke: ["python -m compileall -q ."] });
    expect(found.notes).toEqual([expect.stringContaining("no tests were found")]);
  });
});

describe("Go and Rust", () => {
  test("modules of a go.work are tested where they lie, and wait for each other", () => {
    const { suites } = detect({
      "go.work": "go 1.24\nuse (\n ./a\n ./b\n)\n",
      "a/go.mod": "module m.io/x/a\n",
      "a/a.go": "",
      "b/go.mod": "module m.io/x/b\nrequire m.io/x/a v0.0.0\n",
      "b/b.go": "",
    });
    expect(suites.map(({ name, needs, alone }) => [name, needs, alone])).toEqual([
      ["a", [], false],
      ["b", ["a"], false],
    ]);
    expect(suites[1]?.tiers.smoke).toEqual(["(cd b && go vet ./...)"]);
  });

  test("all features are tested where the repository's CI does", () => {
    const files = {
      "Cargo.toml": "[package]\nname = 'a'\n",
      "ci/test.sh": "cargo check\ncargo test --all --all-features -- --test-threads=1\n",
    };
    expect(only(files)).toMatchObject({
      env: { CARGO_FEATURES: "--all-features" },
      tiers: {
        smoke: ["cargo check --all-features --workspace --tests"],
        fast: ["cargo test --all-features --workspace $TEST_ARGS"],
      },
    });
    expect(only({ ...files, "ci/test.sh": "cargo build --all-features\ncargo test\n" }).env).toBeUndefined();
  });

  test("a crate that maturin builds for Python is tested by that, unless the workflow starts cargo's tests", () => {
    const files = {
      "Cargo.toml": "[package]\nname = 'a'\n[lib]\ncrate-type = ['cdylib']\n",
      "pyproject.toml": "[build-system]\nrequires = ['maturin>=1']\nbuild-backend = 'maturin'\n[project]\nname = 'a'\n",
      "tests/test_a.py": "def test_a(): pass\n",
    };
    const { suites, notes, packages } = detect(files);
    expect(suites.map(({ preset }) => preset)).not.toContain("cargo");
    expect(suites).toHaveLength(1);
    expect(packages).toEqual(expect.arrayContaining(["cargo-web", "rustc-web"]));
    expect(notes).toContain("Cargo.toml: the module of pyproject.toml, whose tests test it");
    const both = detect({ ...files, ".github/workflows/ci.yml": "steps:\n  - run: cargo test\n" });
    expect(both.suites.map(({ preset }) => preset)).toContain("cargo");
  });

  test("a crate of a workspace is no suite of its own, and a pinned toolchain is the image's", () => {
    const suite = only({
      "Cargo.toml": "[workspace]\nmembers = ['a']\n",
      "a/Cargo.toml": "[package]\n",
      "rust-toolchain.toml": '[toolchain]\nchannel = "1.85.0"\n',
    });
    expect(suite).toMatchObject({ name: "app", image: "rust:1.85.0-bookworm" });
  });

  test("where no registry can be reached, their toolchains are in the base image, and that is said", () => {
    const alone = { nodes: [22], pythons: [11], areAll: true };
    const go = { "go.mod": "module x\n\ngo 1.24\n", "a.go": "package x\n" };
    expect(configOf(go, alone).images?.base).toMatchObject({
      from: "debian:bookworm-slim",
      packages: ["ca-certificates", "gcc", "git", "golang-go", "libc6-dev"],
      tools: [{ name: "go", check: "go version" }],
    });
    expect(configOf(go, alone).tests?.suites?.["app"]?.image).toBe("base");
    expect(configOf(go).images).toBeUndefined();
    const rust = { "Cargo.toml": "[package]\n", "rust-toolchain": "1.80.0\n" };
    expect(configOf(rust, alone).images?.base?.packages).toContain("rustc-web");
    expect(detect(rust, alone).notes.join()).toMatch(/Rust comes out of Debian's packages.*not from rust:1\.80\.0/);
    expect(configOf(rust).tests?.suites?.["app"]?.image).toBe("rust:1.80.0-bookworm");
    // One base for all: that of the suites which have an image.
    const web = { "web/package.json": json({ scripts: { test: "node --test" } }) };
    const mixed = configOf({ "api/go.mod": "module x\n", "api/a.go": "package x\n", ...web }, alone);
    expect(mixed.images?.base?.from).toBe("node:22-bookworm-slim");
    expect(mixed.tests?.suites).toMatchObject({ web: { image: "base" }, api: { image: "base" } });
  });

  test("a crate that is made of one beside it is tested where it lies, a fuzzing crate is none", () => {
    const { suites } = detect({
      "a/Cargo.toml": "[package]\n",
      "b/Cargo.toml": '[dependencies]\na = { path = "../a" }\n',
      "fuzz/Cargo.toml": '[dependencies]\na = { path = "../a" }\n',
    });
    expect(
      configOf({ "a/Cargo.toml": "[package]\n", "b/Cargo.toml": 'a = { path = "../a" }\n' }).tests?.suites,
    ).toMatchObject({
      b: { install: [] },
    });
    expect(suites).toMatchObject([
      { name: "a", alone: true, tiers: { fast: ["cargo test --workspace $TEST_ARGS"] } },
      { name: "b", alone: false, install: [], tiers: { fast: ["(cd b && cargo test --workspace $TEST_ARGS)"] } },
    ]);
  });

  test("what lies in a folder of the root's crate or module and is made of it needs all of that", () => {
    const { suites } = detect({
      "Cargo.toml": "[package]\n",
      "levels/Cargo.toml": '[dependencies.log]\npath = ".."\n',
      "go.mod": "module x\n",
      "x.go": "package x\n",
      "tool/go.mod": "module x/tool\nreplace x => ..\n",
      "tool/x.go": "package tool\n",
    });
    expect(suites.filter(({ folder }) => folder !== "")).toMatchObject([
      { name: "tool", alone: false, install: ["(cd tool && GOMODCACHE=/var/cache/go-mod go mod download)"] },
      { name: "levels", alone: false },
    ]);
  });

  test("each crate of a workspace is a suite that waits for the crates it is made of", () => {
    const { suites, notes } = detect({
      "Cargo.toml":
        '[workspace]\nmembers = ["crates/*"]\nexclude = ["crates/old"]\n[workspace.dependencies]\nbase = { path = "crates/base" }\n',
      "Cargo.lock": "",
      "crates/base/Cargo.toml": '[package]\nname = "m-base"\n[dev-dependencies]\nm-app = { path = "../app" }\n',
      "crates/app/Cargo.toml": '[package]\nname = "m-app"\n[dependencies]\nbase.workspace = true\n',
      "crates/cli/Cargo.toml": '[package]\nname = "m-cli"\n[dependencies]\nm-app = { path = "../app" }\n',
      "crates/old/Cargo.toml": '[package]\nname = "m-old"\n',
    });
    expect(suites).toMatchObject([
      { name: "m-app", folder: "crates/app", tiers: { fast: ["cargo test -p m-app"] } },
      { name: "m-base", needs: [] },
      { name: "m-cli", needs: ["m-app"] },
    ]);
    expect(suites.find(({ name }) => name === "m-cli")?.inputs).toEqual([
      "Cargo.lock",
      "Cargo.toml",
      "crates/app/",
      "crates/base/",
      "crates/cli/",
    ]);
    expect(notes).toEqual(["crates/old: no member of the workspace in Cargo.toml, and not covered"]);
  });

  test("bun's lock file means bun, of the version that packageManager names", () => {
    const manifest = { packageManager: "bun@1.2.3", scripts: { test: "bun test" } };
    const { suites, notes } = detect({
      "package.json": json(manifest),
      "bun.lock": "{}",
      ".yarn/sdks/package.json": "{}",
    });
    expect(suites).toMatchObject([
      { because: "bun.lock", install: ["npm install --global bun@1.2.3", "bun install --frozen-lockfile"] },
    ]);
    expect(notes).toEqual([]);
  });

  test("what there is no preset for is named", () => {
    const { suites, notes } = detect({
      "deno.json": "{}",
      "main_test.ts": "",
      "legacy/pom.xml": "",
      "examples/Gemfile": "",
    });
    expect(suites).toEqual([]);
    expect(notes).toEqual([
      expect.stringContaining("deno.json: fastloop has no preset for Deno"),
      expect.stringContaining("legacy/pom.xml: fastloop has no preset for Maven"),
    ]);
  });

  test("a document that a source includes concerns it", () => {
    const files = {
      "Cargo.toml": "[package]\n",
      "src/lib.rs": '#![doc = include_str!("../README.md")]',
      "README.md": "",
      "CHANGELOG.md": "",
    };
    expect(only(files).inputs).toEqual(["**", "!CHANGELOG.md"]);
  });
});

describe("what is written", () => {
  test("is a valid fastloop.yaml with the suites and targets that were found", () => {
    const config = configOf({
      "package.json": json({ scripts: { test: "x" } }),
      "ml/uv.lock": "pytest",
      "ml/pyproject.toml": "",
      "ml/test_x.py": "",
      "core/Cargo.toml": "",
      "vendor/x/go.mod": "",
    });
    expect(config.module).toBe("fastloop");
    expect(Object.keys(config.watch?.targets ?? {})).toEqual(["app", "ml", "core"]);
    expect(config.tests?.suites["ml"]).toMatchObject({ preset: "uv", root: "ml", runner: "pytest" });
    expect(config.watch?.targets?.["ml"]?.inputs).toEqual(["fastloop.yaml", "ml/"]);
  });

  test.each<[string, Files, string]>([
    ["npm", { "package.json": json({ scripts: { test: "node --test" } }), "package-lock.json": "{}" }, "npm ci"],
    [
      "yarn",
      { "package.json": json({ scripts: { test: "vitest run" } }), "yarn.lock": "" },
      "yarn install --frozen-lockfile",
    ],
    ["pip", { "requirements.txt": "pytest==8.4.1\n", "test_x.py": "" }, "pip install"],
    ["go", { "go.mod": "module m\n", "go.sum": "", "a.go": "" }, "go mod download"],
    ["cargo", { "Cargo.toml": '[package]\nname = "a"\n', "Cargo.lock": "" }, "cargo build --workspace --tests"],
  ])("%s: its file is valid, installs and has tests", (preset, files, installs) => {
    const suite = configOf(files).tests!.suites["app"]!;
    expect(suite.preset).toBe(preset);
    expect(resolveSuite(suite).install.join("\n")).toContain(installs);
    expect(Object.keys(suite.tiers)).toContain("fast");
  });

  test("a manifest that is none does not end the search, and a folder of any name gives a suite that a call can name", () => {
    const files = {
      "package.json": "{bad",
      "web app/package.json": json({ scripts: { test: "x" } }),
      "Überbau/go.mod": "",
      "Überbau/a.go": "",
      "null/go.mod": "",
      "null/a.go": "",
    };
    expect(detect(files).suites.map(({ name, folder }) => `${name}: ${folder}`)).toEqual([
      "web-app: web app",
      "part-null: null",
      "Uberbau: Überbau",
    ]);
    configOf(files);
  });

  test("two parts of one name are two suites", () => {
    const node = { "web/x/package.json": json({ scripts: { test: "node --test" } }) };
    const named = (files: Files): string[] => detect(files).suites.map(({ name }) => name);
    expect(named({ "a/x/go.mod": "", "a/x/m.go": "", "b/x/go.mod": "", "b/x/m.go": "" })).toEqual(["a-x", "b-x"]);
    expect(named({ ...node, "a/x/go.mod": "", "a/x/m.go": "" })).toEqual(["x", "x-go"]);
  });
});
