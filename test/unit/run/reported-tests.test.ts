import { expect, test } from "vitest";
import { OutputTail, reportedTests } from "../../../src/run/function-run/reported-tests.ts";

const none = { passed: 0, failed: 0, skipped: 0, packages: 0 };

test("the report of fastloop's own test counts for all suites and tiers", () => {
  const report = "lib  smoke  1 passed\nlib  fast   1 failed, 8 passed, 2 skipped\ngo   fast   3 packages passed\n";
  expect(reportedTests(report, "ℹ pass 70\n", undefined)).toEqual({
    tests: { passed: 9, failed: 1, skipped: 2, packages: 3 },
  });
});

test("what a function returned counts before what was printed", () => {
  expect(reportedTests("# pass 3\n# fail 0\n", "# pass 70\n", undefined).tests).toEqual({ ...none, passed: 3 });
  expect(reportedTests("ok", "# pass 70\n", undefined).tests).toEqual({ ...none, passed: 70 });
  expect(reportedTests("ok", "built\n", undefined)).toEqual({});
});

test("failed tests are read of the output, or of the error where the output is none", () => {
  const error = { message: "it failed", detail: "FAILED a.py::b - x\n", exitCode: 1 };
  expect(reportedTests(undefined, "", error)).toEqual({ failedTests: ["a.py::b"] });
  expect(reportedTests(undefined, "FAILED c.py::d\n", error)).toEqual({ failedTests: ["c.py::d"] });
  expect(reportedTests(undefined, "FAILED c.py::d\n", undefined)).toEqual({});
});

test("of a long output the end is kept", () => {
  const tail = new OutputTail();
  for (let index = 0; index < 100; index++) tail.add("x".repeat(10_000));
  tail.add("the end");
  expect(tail.text.length).toBe(256 * 1024);
  expect(tail.text.endsWith("the end")).toBe(true);
});
