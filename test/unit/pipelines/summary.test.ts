import { expect, test } from "vitest";
import { summaryOf } from "../../../pipelines/src/summary.ts";

test("each runner's last words become passed and failed", () => {
  expect(summaryOf("# tests 9\n# pass 9\n# fail 0\n# todo 0\n")).toBe("9 passed");
  expect(summaryOf("ℹ pass 8\nℹ fail 1\n")).toBe("1 failed, 8 passed");
  expect(summaryOf(" Test Files  2 passed (2)\n      Tests  1 failed | 7 passed (8)\n   Duration 1s\n")).toBe("1 failed, 7 passed");
  expect(summaryOf("......  [100%]\n6 passed, 2 deselected in 0.02s\n")).toBe("6 passed");
  expect(summaryOf("test result: ok. 3 passed; 0 failed; 0 ignored\n\ntest result: ok. 1 passed; 1 failed; 0\n")).toBe("1 failed, 4 passed");
});

test("a command that is no test runner is summed up by its last line", () => {
  expect(summaryOf("compiling\nall is well\n\n")).toBe("all is well");
  expect(summaryOf("")).toBe("passed");
});
