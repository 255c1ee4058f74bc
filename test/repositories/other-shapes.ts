/** Repositories in Python, Go and Rust. */
import { pyTest, pySource, unittest, edit, type Shape } from "./shape.ts";

/** A package of a workspace of uv, made of others. */
const uvMember = (name: string, dependencies = "[]"): Shape["files"] => ({
  [`packages/${name}/pyproject.toml`]: `[project]\nname = "thing-${name}"\nversion = "1.0"\ndependencies = ${dependencies}\n\n[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n`,
});

const uvPackage = (name: string, more = ""): string =>
  `[[package]]\nname = "thing-${name}"\nversion = "1.0"\nsource = { editable = "packages/${name}" }\n${more}\n`;
const uvWorkspaceLock = `version = 1
requires-python = ">=3.9"

[manifest]
members = ["mono", "thing-a", "thing-b", "thing-c"]

[[package]]
name = "mono"
version = "1.0"
source = { virtual = "." }

${uvPackage("a")}
${uvPackage("b", 'dependencies = [{ name = "thing-a" }]\n\n[package.metadata]\nrequires-dist = [{ name = "thing-a", editable = "packages/a" }]\n')}
${uvPackage("c")}`;

export const otherShapes: readonly Shape[] = [
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
    name: "a module of Go with others below it, one for tools alone",
    files: {
      "go.mod": "module example.test/x\n\ngo 1.24\n",
      "x.go": "package x\n\nfunc Value() int { return 1 }\n",
      "exp/go.mod":
        "module example.test/x/exp\n\ngo 1.24\n\nrequire example.test/x v0.0.0\n\nreplace example.test/x => ../\n",
      "exp/y.go":
        'package exp\n\nimport "example.test/x"\n\nvar value = x.Value() + one()\n\nfunc one() int { return 1 }\n',
      "exp/y_test.go":
        'package exp\n\nimport "testing"\n\nfunc TestValue(t *testing.T) {\n\tif value != 2 {\n\t\tt.Fatal(value)\n\t}\n}\n',
      "tools/go.mod": "module example.test/x/tools\n\ngo 1.24\n",
      "tools/tools.go": "//go:build tools\n\npackage tools\n",
    },
    targets: ["app", "exp"],
    breaks: edit("exp/y.go"),
    fails: ["exp"],
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
    name: "uv, with its lock file and a range of Pythons",
    files: {
      "pyproject.toml":
        '[project]\nname = "thing"\nversion = "1.0"\nrequires-python = ">=3.9"\n\n[tool.uv]\npackage = false\n',
      "uv.lock":
        'version = 1\nrequires-python = ">=3.9"\n\n[[package]]\nname = "thing"\nversion = "1.0"\nsource = { virtual = "." }\n',
      // Its lock file allows others, and this machine may have no image of this one.
      ".python-version": "3.13\n",
      "thing.py": pySource,
      "test_thing.py": unittest,
    },
    targets: ["app"],
    breaks: edit("thing.py"),
    fails: ["app"],
    tests: "1 passed",
  },
  {
    name: "a workspace of uv, whose packages are tested each for itself",
    files: {
      "pyproject.toml":
        '[project]\nname = "mono"\nversion = "1.0"\nrequires-python = ">=3.9"\n\n[tool.uv.workspace]\nmembers = ["packages/*"]\n',
      "uv.lock": uvWorkspaceLock,
      ...uvMember("a"),
      "packages/a/src/thing_a/__init__.py": pySource,
      "packages/a/tests/test_a.py": unittest.replace("thing", "thing_a"),
      ...uvMember("b", '["thing-a"]\n\n[tool.uv.sources]\nthing-a = { workspace = true }'),
      "packages/b/src/thing_b/__init__.py": "from thing_a import value as value\n",
      "packages/b/tests/test_b.py": unittest.replace("thing", "thing_b"),
      ...uvMember("c"),
      "packages/c/src/thing_c/__init__.py": pySource,
      "packages/c/tests/test_c.py": unittest.replace("thing", "thing_c"),
    },
    targets: ["a", "b", "c"],
    breaks: edit("packages/a/src/thing_a/__init__.py"),
    fails: ["a", "b"],
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
    name: "tox, with requirements in files, one of which installs the project itself",
    files: {
      "pyproject.toml":
        '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n\n[project]\nname = "thing"\ndynamic = ["version"]\n\n[project.optional-dependencies]\nwide = ["iniconfig"]\n\n[tool.setuptools]\npackage-dir = { "" = "src" }\n\n[tool.setuptools.dynamic]\nversion = { attr = "thing.VERSION" }\n',
      "tox.ini": "[testenv]\ndeps = -rtests/requirements.txt\nextras = wide\ncommands = pytest {posargs}\n",
      "requirements-dev.txt": "-e .[wide]\npytest\n",
      "tests/requirements.txt": "pytest-cov\n",
      "pytest.ini": "[pytest]\naddopts = --cov=thing\n",
      "src/thing/__init__.py": `VERSION = "1.0"\n${pySource}`,
      "tests/test_thing.py": `import iniconfig  # noqa: F401\n${pyTest}`,
    },
    targets: ["app"],
    breaks: edit("src/thing/__init__.py"),
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
  {
    name: "a test that expects the system to refuse a file",
    files: {
      "pyproject.toml": '[project]\nname = "thing"\nversion = "1.0"\n',
      "thing.py": "MODE = 0o400\n",
      "tests/test_thing.py":
        "import os\nimport pytest\nfrom thing import MODE\n\n\ndef test_refused(tmp_path):\n    file = tmp_path / 'a'\n    file.write_text('x')\n    os.chmod(file, MODE)\n    with pytest.raises(PermissionError):\n        file.write_text('y')\n",
    },
    targets: ["app"],
    breaks: edit("thing.py", "0o400", "0o600"),
    fails: ["app"],
    isSlow: true,
  },
];
