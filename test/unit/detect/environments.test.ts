// What a repository's own tools and workflows say of its tests' environment.
import { describe, expect, test } from "vitest";
import {
  detectProject,
  scaffoldConfig,
  wantsSingleQuotes,
  type AvailableImages,
  type DetectedSuite,
  type Detection,
} from "../../../src/detect/index.ts";

type Files = Record<string, string>;
const treeOf = (files: Files): { list: string[]; read(file: string): string } => ({
  list: Object.keys(files).toSorted(),
  read: (file) => files[file] ?? "",
});
const detect = (files: Files, available?: AvailableImages): Detection => detectProject(treeOf(files), available);
const only = (files: Files, available?: AvailableImages): DetectedSuite => {
  const { suites } = detect(files, available);
  expect(suites).toHaveLength(1);
  return suites[0]!;
};
const python = (more: Files): Files => ({
  "pyproject.toml": '[project]\nname = "x"\n[project.optional-dependencies]\nsocks = ["a"]\nall = ["b"]\n',
  "tests/test_x.py": "import pytest",
  ...more,
});

describe("tox", () => {
  test("names files, extras and groups", () => {
    const suite = only(
      python({
        "tox.ini":
          "[tox]\nenvlist = py\n[testenv]\ndeps =\n  -rtests/requirements.txt\n  -r {toxinidir}/ci.txt\n  -r../outside.txt\nextras =\n  socks\n  none\n[testenv:docs]\nextras = all\n",
        "tests/requirements.txt": "pytest-cov\n",
        "ci.txt": "iniconfig\n",
      }),
    );
    expect(suite.install).toContain("uv pip install -r pyproject.toml --extra socks");
    expect(suite.install).toContain("uv pip install -r tests/requirements.txt");
    expect(suite.install).toContain("uv pip install -r ci.txt");
    expect(suite.manifests).toEqual(["pyproject.toml", "tox.ini", "tests/requirements.txt", "ci.txt"]);
  });

  test.each([
    ["tox.toml", ""],
    ["pyproject.toml", "tool.tox."],
  ])("in %s means the same", (file, prefix) => {
    const text = `[${prefix}env_run_base]\ndeps = ["pytest-mock", "-r ci.txt"]\nextras = ["all"]\ndependency_groups = ["unit"]\n`;
    const files = python({ "ci.txt": "" });
    files["pyproject.toml"] += '[dependency-groups]\nunit = ["pytest"]\n';
    files[file] = (files[file] ?? "") + text;
    expect(only(files).install?.slice(2, -1)).toEqual([
      "uv pip install -r pyproject.toml --extra all",
      "uv pip install --group unit",
      "uv pip install -r ci.txt",
      "uv pip install pytest-mock",
    ]);
  });
});

describe("hatch", () => {
  test("has its environments in hatch.toml, too, and those for tests are taken", () => {
    const { install, manifests } = only(
      python({
        "hatch.toml":
          '[envs.default]\ndependencies = ["one"]\n[envs.checks]\ndependencies = ["two"]\nfeatures = ["socks"]\n[envs.checks.scripts]\nrun = "pytest {args}"\n[envs.docs]\ndependencies = ["mkdocs"]\n',
      }),
    );
    expect(install).toContain("uv pip install one two");
    expect(install).toContain("uv pip install -r pyproject.toml --extra socks");
    expect(manifests).toContain("hatch.toml");
  });

  test("adds what its test command always has", () => {
    const { install } = only(python({ "hatch.toml": "[envs.hatch-test]\nextra-dependencies = ['trustme']\n" }));
    expect(install).toContain("uv pip install trustme pytest pytest-mock pytest-rerunfailures 'pytest-xdist[psutil]'");
  });
});

test("a requirements file that installs the project itself leaves that to the sources", () => {
  const { install } = only(python({ "requirements-dev.txt": "-e .[socks,all]  # us\npytest\n" }));
  expect(install).toContain("uv pip install -r pyproject.toml --extra socks --extra all");
  expect(install?.join("\n")).toMatch(/^grep -vE '.*' requirements-dev\.txt \| uv pip install -r -$/m);
  const inFolder = only(python({ "requirements/test.txt": "-e .\n" }));
  expect(inFolder.install?.join("\n")).toMatch(
    /^\(cd requirements && grep -vE '.*' test\.txt \| uv pip install -r -\)$/m,
  );
  const others = only(python({ "requirements-dev.txt": "-e ./plugins\n./other\npytest\n" }));
  expect(others.install).toContain("uv pip install -r requirements-dev.txt");
});

describe(".python-version", () => {
  const files = (requires: string): Files => ({
    "pyproject.toml": `[project]\nname = "x"\nrequires-python = "${requires}"\n`,
    "uv.lock": 'name = "pytest"\n',
    ".python-version": "3.13\n",
    "tests/test_x.py": "",
  });

  test("gives way to the Python that this machine has, where the project allows it", () => {
    const available = { pythons: [11] };
    expect(only(files(">=3.10"), available).env).toEqual({ UV_PYTHON: "3.11" });
    expect(detect(files(">=3.10"), available).notes).toEqual([
      "uv.lock: .python-version names 3.13, and no image registry can be reached: the tests run with 3.11 of this machine's own image, which `requires-python` allows",
    ]);
  });

  test("is taken where there is an image of it, and told where nothing else will do", () => {
    expect(only(files(">=3.10"))).toMatchObject({ image: "python:3.13-slim-bookworm", env: undefined });
    expect(detect(files(">=3.13"), { pythons: [11] }).notes.join()).toContain("names one that has 3.13");
  });
});

test("tests that compile their fixtures have a compiler", () => {
  expect(detect(python({ "tests/fixtures/ext/ext.c": "" })).packages).toEqual(["gcc", "libc6-dev", "python3-dev"]);
  expect(detect(python({ "docs/ext.c": "" })).packages).toEqual([]);
});

describe("services", () => {
  const jobs = `jobs:
  test:
    services:
      valkey:
        image: valkey/valkey:\${{ matrix.version }}
        ports: [6379:6379]
      redis: { image: "redis:8" }
      queue: { image: "rabbitmq:4", ports: ["5672:5672"] }
      other: { image: "\${{ matrix.image }}" }
`;

  test("of the workflows are told, one for each kind", () => {
    const { notes } = detect(python({ ".github/workflows/ci.yml": jobs }));
    expect(notes).toEqual([
      `.github/workflows/ci.yml starts valkey/valkey, rabbitmq:4 beside the tests; if these need them, add to fastloop.yaml:
  tests:
    services:
      valkey: { preset: redis }
      queue: { image: "rabbitmq:4", port: 5672 }
    suites:
      app: { services: [valkey, queue] }
  Tests reach a service by its name (\`valkey:6379\`), not at \`localhost\`. Where they insist on that, add \`socat\` to the packages of \`images.base\`, and let the tier begin with \`socat TCP-LISTEN:6379,fork,reuseaddr TCP:valkey:6379 &\`.`,
    ]);
  });

  test("of a compose file's profiles are not, and a variable has its default", () => {
    const { notes } = detect(
      python({
        "compose.yaml":
          "services:\n  one: { image: '${IMAGE:-mongo:8}' }\n  two: { image: mongo:8 }\n  three: { image: 'postgres:18', profiles: [all] }\n",
      }),
    );
    expect(notes[0]).toContain("compose.yaml starts mongo:8 (");
    expect(notes[0]).not.toContain("postgres");
  });
});

test("tracked files that are taken for a build's are told", () => {
  expect(detect(python({ "tests/fixtures/dist/x.whl": "", "tests/a.log": "" })).notes).toEqual([
    expect.stringMatching(/^tests\/a\.log and 1 more: not sent, as folders named dist/),
  ]);
});

test.each([
  ["package.json", '{"prettier":{"singleQuote":true}}', true],
  [".prettierrc", "semi: false\nsingleQuote: true\n", true],
  ["prettier.config.js", "export default { singleQuote : true };", true],
  [".prettierrc.json", '{"singleQuote":false,"jsxSingleQuote":true}', false],
  ["docs/.prettierrc", "singleQuote: true", false],
])("quotes are those of %s", (file, text, expected) => {
  expect(wantsSingleQuotes(treeOf({ [file]: text }))).toBe(expected);
  const found = detect(python({ LICENSE: "" }));
  const written = scaffoldConfig({ project: "x", module: "fastloop", singleQuotes: expected }, found);
  expect(written.includes('"**"')).toBe(!expected);
});

test("scripts that pnpm finds by a pattern count as called", () => {
  const suite = only({
    "package.json": JSON.stringify({
      scripts: { test: 'pnpm run "/^test:.*/"', "test:types": "tsc --noEmit", "test:spec": "vitest run" },
    }),
    "pnpm-lock.yaml": "lockfileVersion: '9.0'\n",
  });
  expect(suite.runner).toBe("vitest");
});

test("files in a folder of tests that pytest does not take for tests are not run", () => {
  const files = { "pyproject.toml": '[project]\nname = "x"\n', "x.py": "", "tests/downstream/check.py": "" };
  expect(only(files).tiers).toEqual({ smoke: ["python -m compileall -q ."] });
  const named = { ...files, "pytest.ini": "[pytest]\npython_files = check*.py\n" };
  expect(only(named).tiers.fast?.at(-1)).toBe("python -m pytest $TEST_ARGS");
});

test("a folder of performance tests is no part of the project", () => {
  const manifest = JSON.stringify({ scripts: { test: "node --test" } });
  expect(
    detect({ "package.json": manifest, "perf-testing/package.json": manifest }).suites.map(({ name }) => name),
  ).toEqual(["app"]);
});
