import { expect, test } from "vitest";
import { scriptOnOneLine } from "../../../src/text/index.ts";

test.each([
  ["npm ci\nmkdir -p 'node_modules'\n", "npm ci; mkdir -p 'node_modules'"],
  ["for a in b; do\n  echo $a\ndone", "for a in b; do echo $a; done"],
  ["if true; then\n  a\nelse\n  b\nfi", "if true; then a; else b; fi"],
  ["a |\n  b &&\n  c", "a | b && c"],
  ["apt-get install \\\n    git \\\n    less", "apt-get install git less"],
  ["(\n  a\n)\n", "( a; )"],
  ["one line", "one line"],
])("%j", (script, line) => {
  expect(scriptOnOneLine(script)).toBe(line);
});
