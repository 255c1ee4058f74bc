import { expect, test } from "vitest";
import { shellCommand } from "../../../pipelines/src/exec.ts";
import { scriptOnOneLine } from "../../../src/text/index.ts";
import { duration, shortName, wholeSeconds } from "../../../src/report/text.ts";

test.each([
  [0.4, "0 ms"],
  [999.4, "999 ms"],
  [999.6, "1.0 s"],
  [59_940, "59.9 s"],
  [59_960, "1 min 0 s"],
  [119_700, "2 min 0 s"],
  [3_725_000, "62 min 5 s"],
])("%d ms are %s", (ms, text) => {
  expect(duration(ms)).toBe(text);
});

test("what lasts is told in whole seconds", () => {
  expect([0, 59, 60, 125].map(wholeSeconds)).toEqual(["0 s", "59 s", "1 min 0 s", "2 min 5 s"]);
});

test("a tier's step is named by its commands, a semicolon between them", () => {
  const tier = ["start=$(date +%s)", 'sh -ec "$1" 2>&1; code=$?', "exit $code"];
  for (const wrapper of [tier.join("\n"), tier.join("; ")])
    expect(shortName(`exec sh -c ${wrapper} sh npm run build\nnpm test`)).toBe("npm run build; npm test");
});

test("a step of an image is named by the user's commands, without the module's lines around them", () => {
  const command = shellCommand("echo a\necho b", { before: ["export VERSION=1"], after: ["mkdir -p 'x'"] });
  for (const words of [command.join(" "), command.map(scriptOnOneLine).join(" ")])
    expect(shortName(`exec ${words}`)).toBe("echo a; echo b");
  expect(shortName(`exec ${shellCommand("echo a", {}).join(" ")}`)).toBe("echo a");
});

test("a step is named on one line, cut where it is long", () => {
  expect(shortName("exec sh -c\n  make   all")).not.toContain("\n");
  expect(shortName("x".repeat(200))).toBe(`${"x".repeat(119)}…`);
  expect(shortName("x".repeat(10), 5)).toBe("xxxx…");
});
