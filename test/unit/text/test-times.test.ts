import { expect, test } from "vitest";
import { testTimes } from "../../../src/text/index.ts";

test.each([
  ["go", "=== RUN   TestA\n--- PASS: TestA (0.25s)\n    --- PASS: TestA/sub (0.10s)\nok  \tpkg\t0.3s\n", [["TestA", 250], ["TestA/sub", 100]]], // prettier-ignore
  ["pytest", "===== slowest durations =====\n1.50s call     tests/test_a.py::test_x\n0.01s setup    tests/test_a.py::test_x\n", [["tests/test_a.py::test_x", 1500]]], // prettier-ignore
  ["jest", "PASS ./a.test.js\n    ✓ adds (12 ms)\n    ✕ subtracts\n", [["adds", 12]]],
  ["node", "✔ adds (1.234ms)\n✖ fails (20.5ms)\n", [["adds", 1.2], ["fails", 20.5]]], // prettier-ignore
  ["vitest", " ✓ a.test.ts (2 tests) 900ms\n   ✓ slow one 532ms\n ✓ |unit| b.test.ts > reads 1.5s\n", [["slow one", 532], ["b.test.ts > reads", 1500]]], // prettier-ignore
  ["nextest", "        PASS [   0.012s] my-crate tests::adds\n", [["my-crate tests::adds", 12]]],
  ["colours", "\u001b[32m✓\u001b[39m adds \u001b[2m(7 ms)\u001b[22m\n", [["adds", 7]]],
  ["none", "building 12ms\nok\n", []],
])("the times that %s prints are read", (_runner, output, expected) => {
  expect(testTimes(output)).toEqual(expected);
});
