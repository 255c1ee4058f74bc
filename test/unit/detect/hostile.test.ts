import process from "node:process";
import { expect, test } from "vitest";
import { detectProject } from "../../../src/detect/index.ts";
import { withoutLongBlanks } from "../../../src/detect/read.ts";

const names = [
  ".github/workflows/ci.yml",
  ".gitlab-ci.yml",
  ".nvmrc",
  ".prettierrc",
  ".python-version",
  ".tool-versions",
  "CMakeLists.txt",
  "Cargo.toml",
  "Dockerfile",
  "Makefile",
  "Procfile",
  "compose.yaml",
  "configure.ac",
  "deploy/app.yaml",
  "go.mod",
  "go.work",
  "hatch.toml",
  "meson.build",
  "noxfile.py",
  "package-lock.json",
  "pnpm-lock.yaml",
  "pnpm-workspace.yaml",
  "pyproject.toml",
  "requirements-dev.txt",
  "requirements.txt",
  "rust-toolchain.toml",
  "setup.cfg",
  "setup.py",
  "test/app.test.js",
  "tests/test_app.py",
  "tox.ini",
  "tox.toml",
  "uv.lock",
  "yarn.lock",
];

/** What makes a pattern go back over a text again and again: each is repeated to 20,000 characters, blanks to 100,000. */
const pumps = [
  " ",
  "\t",
  "\n",
  "\n ",
  "- ",
  "[",
  "]",
  "{",
  "(",
  '"',
  "'",
  "#",
  "=",
  "@",
  ":",
  "0",
  "a",
  "a.",
  "/",
  "\\",
  "<",
  "$",
  "&",
  "|",
  "npm ",
  "node: [",
  "version:\n",
  "from a",
  "-node-",
  "import ",
  "test",
  "test/",
];

const heads = [
  "",
  "packages:\n",
  "node-version:\n",
  "uses: pnpm/action-setup@v4\n",
  "[project]\n",
  "test:\n\t",
  "python_requires = ",
  "test -w ",
];

test.each(names)("hostile text in %s is read in a time that grows with its length", (name) => {
  const shared: Record<string, string> = {
    "package.json": '{"name":"a","scripts":{"test":"node --test"}}',
    "go.mod": "module a\n",
    "Cargo.toml": '[package]\nname = "a"\n',
    "pyproject.toml": '[project]\nname = "a"\n',
    "main_test.go": "package a\n",
    "src/lib.rs": "#[test]\n",
    "test_a.py": "def test_a(): pass\n",
    "a.test.js": "test('a')\n",
  };
  const slow: string[] = [];
  for (const head of heads) {
    for (const pump of pumps) {
      const files: Record<string, string> = {
        ...shared,
        [name]: withoutLongBlanks(head + pump.repeat((pump.trim() === "" ? 100_000 : 20_000) / pump.length)),
      };
      const before = process.cpuUsage();
      detectProject({ list: Object.keys(files).toSorted(), read: (file) => files[file] ?? "" });
      const { user } = process.cpuUsage(before);
      if (user > 3_000_000)
        slow.push(`${JSON.stringify(head)} + ${JSON.stringify(pump)}: ${Math.round(user / 1000)} ms`);
    }
  }
  expect(slow).toEqual([]);
});

test.each([
  [".github/workflows/ci.yml", "pnpm/action-setup@"],
  [".github/workflows/ci.yml", "node:["],
  ["test_a.py", "exec"],
])("a megabyte of it in %s is read as soon: %s", (name, pump) => {
  const text = pump.repeat(1e6 / pump.length);
  const files: Record<string, string> = {
    "package.json": "{}",
    "pnpm-lock.yaml": "",
    "pyproject.toml": "[project]\nname = 'a'\n",
    [name]: text,
  };
  const before = process.cpuUsage();
  detectProject({ list: ["test_a.py", ...Object.keys(files)].toSorted(), read: (file) => files[file] ?? "" });
  expect(process.cpuUsage(before).user).toBeLessThan(3_000_000);
});
