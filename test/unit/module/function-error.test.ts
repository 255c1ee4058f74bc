import { expect, test } from "vitest";
import { shellCommand } from "../../../pipelines/src/exec.ts";
import { tierCommand } from "../../../pipelines/src/suites.ts";
import { resolveSuite } from "../../../pipelines/vendor/config.mjs";
import { execMessage, FunctionError } from "../../../src/module/index.ts";

const places = { root: "/p", sourceDir: "/p/ci" };
const failed = (message: string, stderr: string): FunctionError =>
  new FunctionError(
    {
      name: "ExecError",
      message,
      frames: [],
      exec: { command: ["make", "test"], exitCode: 7, stdout: "built", stderr },
    },
    places,
  );

test("a failed exec has one line for its headline, and the last lines of its stderr below as they were", () => {
  const error = failed("exit code: 7", "\n  one\n\n  two: exit code: 9\n");
  expect(error).toMatchObject({
    message: "make test failed with exit code 7",
    detail: "  one\n\n  two: exit code: 9",
    exitCode: 7,
  });
  expect(failed('process "make test" did not complete successfully: exit code: 7 one two', "one\ntwo").message).toBe(
    "make test failed with exit code 7",
  );
  expect(failed("exit code: 7", "\n").detail).toBe("built");
  expect(
    failed("exit code: 7", Array.from({ length: 30 }, (_, line) => `line ${line}`).join("\n")).detail?.split("\n"),
  ).toHaveLength(20);
});

test("a script of many lines is told on one", () => {
  expect(execMessage(["sh", "-c", "\n  make\n  make test\n"], "exit code: 2")).toBe(
    'sh -c "make; make test" failed with exit code 2',
  );
  expect(execMessage(["make"], "no such image")).toBe("no such image");
});

test("of a command that the pipelines module puts lines of its own around, the user's script is told", () => {
  const suite = resolveSuite({ image: "x", tiers: { smoke: { run: ["npm test", "npm run lint"] } } });
  const tier = tierCommand({ name: "unit", tier: "smoke", suite, request: {} });
  expect(execMessage(tier, "exit code: 3")).toBe("npm test; npm run lint failed with exit code 3");
  const layer = shellCommand("make deps\nmake", { before: ["echo ran >> /journal"], after: ["mkdir -p x"] });
  expect(execMessage(layer, "exit code: 2")).toBe("make deps; make failed with exit code 2");
  expect(execMessage(["sh", "-c", 'exec "$1"', "sh", "x"], "exit code: 2")).toBe(
    String.raw`sh -c "exec \"$1\"" sh x failed with exit code 2`,
  );
});

test("a body may say where the mistake is, or that it is nowhere in its code", () => {
  const thrown = { name: "Error", message: "no", frames: ["at it (src/index.ts:3:4)"] };
  const placeOf = (place?: string): string | undefined =>
    new FunctionError({ ...thrown, place }, places, { place: "src/index.ts:1" }).place;
  expect([placeOf(), placeOf("fastloop.yaml:7"), placeOf("")]).toEqual([
    "ci/src/index.ts:3:4",
    "fastloop.yaml:7",
    undefined,
  ]);
});

test("what a failed command did not find becomes advice", () => {
  expect(failed("exit code: 127", "sh: 1: bun: not found").format()).toContain("bun is not in the image");
  expect(failed("exit code: 1", "1 failed").hint).toBeUndefined();
});
