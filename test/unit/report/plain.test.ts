import { expect, test } from "vitest";
import { githubReporter, junit } from "../../../src/report/github.ts";
import { plainReporter } from "../../../src/report/plain.ts";
import type { FinishedNotice, LoopNotice } from "../../../src/run/index.ts";

const ended: FinishedNotice = {
  kind: "finished",
  name: "lib",
  digest: "abcdef0123",
  outcome: "passed",
  fresh: true,
  durationMs: 1500,
  steps: { total: 4, cached: 1 },
  attempts: 1,
  logFile: "/p/.fastloop/runs/lib.log",
  tests: { passed: 297, failed: 0, skipped: 2, packages: 0 },
};
const failed: FinishedNotice = {
  ...ended,
  outcome: "failed",
  tests: { passed: 8, failed: 1, skipped: 0, packages: 0 },
  failedTests: ["test/a.test.js: adds"],
  error: { message: "lib fast: npm test failed with exit code 1", detail: "  AssertionError\n", exitCode: 1 },
};

function printed(notice: LoopNotice): string[] {
  const lines: string[] = [];
  plainReporter({ write: (line) => lines.push(line), colors: false, verbose: false, cwd: "/p" })(notice);
  return lines;
}

test("a verdict says how many tests passed", () => {
  expect(printed(ended)).toEqual(["passed    lib  abcdef01  1.5 s  297 passed, 2 skipped  4 steps, 1 cached"]);
  expect(printed({ ...ended, tests: undefined })).toEqual(["passed    lib  abcdef01  1.5 s  4 steps, 1 cached"]);
});

test("a failure begins with the command and the tests that failed, then has the last lines", () => {
  expect(printed(failed).join("\n").split("\n")).toEqual([
    "failed    lib  abcdef01  1.5 s  1 failed, 8 passed  4 steps, 1 cached",
    "    lib fast: npm test failed with exit code 1",
    "    ✗ test/a.test.js: adds",
    "      AssertionError",
    "    ",
    "    log: .fastloop/runs/lib.log",
  ]);
});

test("an annotation names them, too", () => {
  const lines: string[] = [];
  githubReporter((line) => lines.push(line))(failed);
  githubReporter((line) => lines.push(line))(ended);
  expect(lines).toEqual([
    "::error title=lib failed in 1.5 s::lib fast: npm test failed with exit code 1%0A✗ test/a.test.js: adds%0A  AssertionError",
    "lib passed in 1.5 s: 297 passed, 2 skipped",
  ]);
});

test("what was cancelled, or is stale, is no annotation and no failure", () => {
  const lines: string[] = [];
  const report = githubReporter((line) => lines.push(line));
  report({ ...failed, outcome: "cancelled" });
  report({ ...failed, outcome: "stale", moved: ["src/a.ts"] });
  report({ ...failed, outcome: "timed-out", error: { message: "lib took longer than 2 s", detail: "", exitCode: 4 } });
  expect(lines).toEqual([
    "lib cancelled in 1.5 s",
    "lib stale in 1.5 s: src/a.ts changed while it ran",
    "::error title=lib timed-out in 1.5 s::lib took longer than 2 s%0A✗ test/a.test.js: adds",
  ]);
});

test("JUnit has one case for each function, and a failure for each that failed", () => {
  const named = (name: string, outcome: FinishedNotice["outcome"]): [string, FinishedNotice] => [
    name,
    { ...failed, name, outcome, error: { message: `${name} & co`, detail: "", exitCode: 1 } },
  ];
  const results = new Map([
    named("ok", "passed"),
    named("bad", "failed"),
    named("late", "timed-out"),
    named("ended", "cancelled"),
    named("moved", "stale"),
    named("held", "passed"),
  ]);
  const xml = junit(
    {
      passed: ["ok"],
      failed: ["bad"],
      timedOut: ["late"],
      cancelled: ["ended"],
      blocked: ["held"],
      current: ["still"],
      results,
    },
    "fastloop",
  );
  expect(xml).toContain('tests="7" failures="2"');
  expect(xml.match(/<testcase /g)).toHaveLength(7);
  expect(xml.match(/<failure [^>]*>[^<]*</g)).toEqual([
    '<failure message="failed">bad &amp; co<',
    '<failure message="timed-out">late &amp; co<',
  ]);
  expect(xml).toMatch(/name="ended" time="1\.500"><skipped message="cancelled"\/>/);
  expect(xml).toMatch(/name="moved" time="1\.500"><skipped message="stale"\/>/);
  expect(xml).toMatch(/name="held" time="0"><skipped\/>/);
});

test("a log says what is waited for when that takes long, and not when it is over", () => {
  const waiting = { kind: "waiting", what: "for the engine" } as const;
  expect(printed({ ...waiting, waitedMs: 1000, done: false })).toEqual([]);
  expect(printed({ ...waiting, waitedMs: 11_000, done: false })).toEqual(["waiting   for the engine, for 11.0 s"]);
  expect(printed({ ...waiting, waitedMs: 12_000, done: true })).toEqual([]);
});
