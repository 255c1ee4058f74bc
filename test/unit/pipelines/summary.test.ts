import { expect, test } from "vitest";
import { summaryOf } from "../../../pipelines/src/summary.ts";

test("each runner's last words become passed and failed", () => {
  expect(summaryOf("# tests 9\n# pass 9\n# fail 0\n# todo 0\n")).toBe("9 passed");
  expect(summaryOf("ℹ pass 8\nℹ fail 1\n")).toBe("1 failed, 8 passed");
  expect(summaryOf(" Test Files  2 passed (2)\n      Tests  1 failed | 7 passed (8)\n   Duration 1s\n")).toBe(
    "1 failed, 7 passed",
  );
  expect(summaryOf("......  [100%]\n6 passed, 2 deselected in 0.02s\n")).toBe("6 passed");
  expect(summaryOf("==== 1 failed, 6 passed in 0.02s ====\nwarning: on the other stream\n")).toBe("1 failed, 6 passed");
  expect(summaryOf("\u001B[2m      Tests \u001B[22m \u001B[32m2 passed\u001B[39m (2)\n")).toBe("2 passed");
  expect(summaryOf("PASS ./a.test.js\n\nTests:       1 failed, 2 passed, 3 total\n")).toBe("1 failed, 2 passed");
  expect(summaryOf("ok  \tm/a\t0.01s\n?   \tm/b\t[no test files]\nok  \tm/c\t(cached)\n")).toBe("2 packages passed");
  expect(summaryOf("test result: ok. 3 passed; 0 failed; 0 ignored\n\ntest result: ok. 1 passed; 1 failed; 0\n")).toBe(
    "1 failed, 4 passed",
  );
});

test("a command that is no test runner is summed up by its last line", () => {
  expect(summaryOf("compiling\nall is well\n\n")).toBe("all is well");
  expect(summaryOf("")).toBe("passed");
});
