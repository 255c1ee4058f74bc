/** A small repository, and what is written in many of them. */

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

export const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
export const nodeTest = (subject: string, expected: string): string =>
  `import assert from "node:assert";\nimport { test } from "node:test";\n${subject}\ntest("value", () => assert.equal(value, ${expected}));\n`;
export const member = (name: string, extra: object = {}): string =>
  json({ name, version: "1.0.0", type: "module", main: "index.js", scripts: { test: "node --test" }, ...extra });
export const pyTest = "from thing import value\n\n\ndef test_value():\n    assert value() == 1\n";
export const pySource = "def value():\n    return 1\n";
export const unittest =
  "import unittest\nfrom thing import value\n\n\nclass Value(unittest.TestCase):\n    def test_value(self):\n        self.assertEqual(value(), 1)\n";
export const edit = (file: string, from = "return 1", to = "return 2"): Shape["breaks"] => ({ file, from, to });
