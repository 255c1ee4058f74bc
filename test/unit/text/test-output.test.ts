// Outputs as the runners wrote them (mocha 11, ava 6, jest 30, vitest 4, pytest 8, Node 20 and 24), cut to what matters.
import { describe, expect, test } from "vitest";
import { countsText, failedTests, testCounts } from "../../../src/text/index.ts";

const outputs: Record<string, { text: string; counts: string; failed: string[] }> = {
  mocha: {
    text: "  suite\n    ✔ works\n    1) fails here\n\n\n  1 passing (71ms)\n  1 pending\n  2 failing\n\n  1) suite\n       fails here:\n\n      AssertionError: 1 == 2\n      + expected - actual\n\n      at Context.<anonymous> (m.spec.cjs:1:93)\n\n  2) suite\n       inner\n         too:\n     Error: x\n",
    counts: "2 failed, 1 passed, 1 skipped",
    failed: ["suite › fails here", "suite › inner › too"],
  },
  ava: {
    text: "  - [skip] later\n  ✔ works\n  ✘ [fail]: fails here\n  ─\n\n  fails here\n\n  1 test failed\n  1 test skipped\n",
    counts: "1 failed, 0 passed, 1 skipped",
    failed: ["fails here"],
  },
  "ava, green": { text: "  ✔ works\n  ─\n\n  12 tests passed\n", counts: "12 passed", failed: [] },
  jest: {
    text: "FAIL ./j.jest.cjs\n  suite\n    ✓ works (2 ms)\n    ✕ fails here (3 ms)\n\n  ● suite › fails here\n\n    expect(received).toBe(expected)\n\nTests:       1 failed, 1 skipped, 1 passed, 3 total\n",
    counts: "1 failed, 1 passed, 1 skipped",
    failed: ["suite › fails here"],
  },
  vitest: {
    text: "\u001b[41m\u001b[1m FAIL \u001b[22m\u001b[49m \u001b[30m\u001b[42m unit \u001b[49m\u001b[39m test/a.test.ts\u001b[2m > \u001b[22msuite\u001b[2m > \u001b[22mfails here\n\n\u001b[2m      Tests \u001b[22m \u001b[1m\u001b[31m1 failed\u001b[39m\u001b[22m\u001b[2m | \u001b[22m\u001b[1m\u001b[32m2 passed\u001b[39m\u001b[22m\u001b[2m | \u001b[22m\u001b[33m1 skipped\u001b[39m\u001b[90m (4)\u001b[39m\n",
    counts: "1 failed, 2 passed, 1 skipped",
    failed: ["test/a.test.ts > suite > fails here"],
  },
  "node, for people": {
    text: "ℹ pass 1\nℹ fail 1\nℹ skipped 0\n\n✖ failing tests:\n\ntest at value.test.js:4:1\n✖ value (2.866229ms)\n  AssertionError\n",
    counts: "1 failed, 1 passed",
    failed: ["value.test.js: value"],
  },
  "node, TAP": {
    text: "    not ok 1 - fails here\n      ---\n      failureType: 'testCodeFailure'\n      ...\n    ok 2 - ok\nnot ok 2 - suite\n  ---\n  failureType: 'subtestsFailed'\n  ...\nnot ok 3 - later # TODO\n# pass 2\n# fail 1\n# skipped 1\n",
    counts: "1 failed, 2 passed, 1 skipped",
    failed: ["fails here"],
  },
  pytest: {
    text: "=== short test summary info ===\nFAILED test_p.py::test_fails - assert 1 == 2\nERROR test_q.py\n=== 1 failed, 1 passed, 1 skipped, 1 error in 0.05s ===\n",
    counts: "2 failed, 1 passed, 1 skipped",
    failed: ["test_p.py::test_fails", "test_q.py"],
  },
  unittest: {
    text: "FAIL: test_fails (test_u.T.test_fails)\n-----\nRan 3 tests in 0.000s\n\nFAILED (failures=1, skipped=1)\n",
    counts: "1 failed, 1 passed, 1 skipped",
    failed: ["test_fails (test_u.T.test_fails)"],
  },
  "unittest, green": { text: "Ran 3 tests in 0.000s\n\nOK (skipped=1)\n", counts: "2 passed, 1 skipped", failed: [] },
  go: {
    text: "--- FAIL: TestAll (0.00s)\n    --- FAIL: TestAll/one (0.00s)\nFAIL\tm/a\t0.01s\nFAIL\tm/b [build failed]\nok  \tm/c\t0.01s\n",
    counts: "1 failed, 0 passed",
    failed: ["TestAll/one", "m/b [build failed]"],
  },
  "go, green": { text: "ok  \tm/a\t0.01s\nok  \tm/c\t(cached)\n", counts: "2 packages passed", failed: [] },
  "go -v": {
    text: "--- PASS: TestA (0.00s)\n--- PASS: TestB (0.00s)\nok  \tm/a\t0.01s\n",
    counts: "2 passed",
    failed: [],
  },
  cargo: {
    text: "test tests::one ... FAILED\ntest tests::two ... ok\n\ntest result: FAILED. 1 passed; 1 failed; 2 ignored; 0 measured\n",
    counts: "1 failed, 1 passed, 2 skipped",
    failed: ["tests::one"],
  },
  "cargo nextest": {
    text: "        FAIL [   0.005s] (1/2) thing tests::one\n     Summary [   0.012s] 2 tests run: 1 passed, 1 failed, 0 skipped\n",
    counts: "1 failed, 1 passed",
    failed: ["thing tests::one"],
  },
};

describe.each(Object.entries(outputs))("%s", (_, { text, counts, failed }) => {
  test("its counts and the tests that failed are read", () => {
    expect(countsText(testCounts(text)!)).toBe(counts);
    expect(failedTests(text)).toEqual(failed);
  });
});

test("several runners in one script count together", () => {
  expect(testCounts(`${outputs["ava, green"]!.text}${outputs["unittest, green"]!.text}`)).toEqual({
    passed: 14,
    failed: 0,
    skipped: 1,
    packages: 0,
  });
});

test("what is no test runner tells of no tests", () => {
  expect(testCounts("compiling\n5 files written in 3s\n")).toBeUndefined();
  expect(failedTests("error: it failed\n")).toEqual([]);
});

test("long outputs without a runner's words cost no more than their length", () => {
  for (const text of ["\n".repeat(200_000), " ".repeat(200_000), "FAIL ".repeat(40_000), "= 1 a, ".repeat(30_000)])
    expect([testCounts(text), failedTests(text)]).toEqual([undefined, []]);
  expect(failedTests("not ok 1 - a\n".repeat(20_000))).toEqual(["a"]);
});
