import { expect, test } from "vitest";
import { Board } from "../../../src/report/terminal/board.ts";
import { layoutBoard, layoutRun, type LayoutOptions } from "../../../src/report/terminal/layout.ts";
import { keyActions } from "../../../src/report/terminal/keys.ts";
import { limitsOf } from "../../../src/run/machine/limits.ts";
import { initialState, unknownFunction, type FunctionState, type LoopState } from "../../../src/run/machine/state.ts";
import type { FinishedNotice } from "../../../src/run/index.ts";
import { columnsOf } from "../../../src/report/terminal/styled-line.ts";

const at = new Date(2026, 0, 1, 12, 0, 5);
const options: LayoutOptions = {
  columns: 90,
  rows: 24,
  nowMs: 65_000,
  filter: "",
  isTyping: false,
  isStopping: false,
  hasKeys: true,
};

function stateOf(...functions: Partial<FunctionState>[]): LoopState {
  return {
    ...initialState({ limits: limitsOf() }),
    functions: functions.map((fn) => ({ ...unknownFunction(fn.name!), wanted: "abcdef0123", ...fn })),
  };
}

function finished(name: string, changes: Partial<FinishedNotice> = {}): FinishedNotice {
  return {
    kind: "finished",
    name,
    digest: "abcdef0123",
    outcome: "passed",
    fresh: true,
    durationMs: 400,
    steps: { total: 1, cached: 0 },
    attempts: 1,
    logFile: `/p/.fastloop/runs/${name}.log`,
    ...changes,
  };
}

function shown(board: Board, changes: Partial<LayoutOptions> = {}): string[] {
  return layoutBoard(board, { ...options, ...changes }).map((line) =>
    line
      .map((piece) => piece.text)
      .join("")
      .trimEnd(),
  );
}

test("each function has its standing, digest, time and cause", () => {
  const board = new Board("/p");
  board.note({ kind: "started", name: "lib", digest: "abcdef0123", reasons: [{ kind: "never-run" }], atMs: 0 }, 0, at);
  board.note(finished("lib"), 400, at);
  board.note(
    {
      kind: "started",
      name: "api",
      digest: "abcdef0123",
      reasons: [{ kind: "file", change: "changed", path: "api/a" }],
      atMs: 0,
    },
    0,
    at,
  );
  board.setState(
    stateOf(
      { name: "lib", phase: "idle", verdict: "current" },
      { name: "api", phase: "running", verdict: "stale", running: "abcdef0123" },
      { name: "web", phase: "queued", verdict: "stale", needs: ["api"] },
      { name: "old", phase: "cancelling", verdict: "stale", running: "0000000011" },
    ),
  );
  expect(shown(board)).toEqual([
    "✓ current   lib  abcdef01  400 ms  12:00:05  never run here",
    "▶ running   api  abcdef01  1 min 5 s         api/a changed",
    "○ stale     web  abcdef01                    waits for api",
    "■ cancelled old  00000000                    being cancelled",
    " 1 running  1 cancelled  1 stale  1 current",
    " a run all   f rerun failed   / filter   m manual   u page   q quit",
  ]);
});

test("a run of files that are no longer the newest is stale", () => {
  const board = new Board("/p");
  board.setState(stateOf({ name: "lib", phase: "running", running: "older", verdict: "stale" }));
  expect(shown(board)[0]).toMatch(/^○ stale {5}lib {2}older/);
});

test("an edit that is taken back leaves nothing of the run that failed on it", () => {
  const board = new Board("/p");
  board.note(finished("lib", { outcome: "failed", tests: { passed: 1, failed: 1, skipped: 0, packages: 0 } }), 0, at);
  board.setState(stateOf({ name: "lib", phase: "idle", verdict: "failed" }));
  expect(shown(board)[0]).toContain("1 failed, 1 passed");
  const reasons = [{ kind: "never-run" }] as const;
  board.note(
    { kind: "restored", name: "lib", digest: "abcdef0123", durationMs: 900, endedAtMs: at.getTime(), reasons },
    0,
    at,
  );
  board.setState(stateOf({ name: "lib", phase: "idle", verdict: "current" }));
  expect(shown(board)[0]).toBe("✓ current   lib  abcdef01  900 ms  12:00:05  its files are as they were then");
});

test("a failure shows what went wrong first, its last lines that fit, and the path of the whole log", () => {
  const board = new Board("/p");
  board.note(
    {
      kind: "output",
      name: "lib",
      stream: "stdout",
      text: Array.from({ length: 50 }, (_, index) => `line ${index}\n`).join(""),
    },
    0,
    at,
  );
  board.note(
    finished("lib", {
      outcome: "failed",
      error: { message: 'sh -c "\\n  make\\n  test" failed with exit code 7', place: "ci/src/index.ts:7", exitCode: 7 },
    }),
    0,
    at,
  );
  board.setState(stateOf({ name: "lib", phase: "idle", verdict: "failed" }));
  expect(shown(board, { rows: 10 }).slice(1, -2)).toEqual([
    '✗ lib: ci/src/index.ts:7: exit code 7: sh -c " make test"',
    "  │ line 46",
    "  │ line 47",
    "  │ line 48",
    "  │ line 49",
    "  log: .fastloop/runs/lib.log",
  ]);
  board.setState(stateOf({ name: "lib", phase: "queued", verdict: "stale" }));
  expect(shown(board).join("\n")).not.toContain("line 49");
});

test("where lines are few those that need a look get them, in any size of window", () => {
  const board = new Board("/p");
  const names = Array.from({ length: 40 }, (_, index) => `fn${index}`);
  for (const name of names)
    board.note(finished(name, { outcome: "failed", error: { message: "no", exitCode: 1 } }), 0, at);
  board.setState(
    stateOf(
      ...names.map((name, index) => ({
        name,
        phase: "idle" as const,
        verdict: index === 33 ? ("failed" as const) : ("current" as const),
      })),
    ),
  );
  expect(shown(board, { rows: 8 }).filter((line) => line.startsWith("✗"))).toEqual([expect.stringContaining("fn33")]);
  expect(shown(board, { rows: 8 })).toContainEqual(expect.stringMatching(/… and \d+ more functions/));
  for (let rows = 4; rows < 60; rows += 3) {
    for (const columns of [10, 30, 200]) {
      const lines = layoutBoard(board, { ...options, rows, columns });
      expect(lines.length, `${rows} rows`).toBeLessThan(rows);
      for (const line of lines)
        expect(line.reduce((sum, piece) => sum + columnsOf(piece.text), 0)).toBeLessThan(columns);
    }
  }
});

test("what keeps the project from being read stands above the last results", () => {
  const board = new Board("/p");
  board.setState(stateOf({ name: "lib", phase: "idle", verdict: "current" }));
  board.note(
    {
      kind: "broken",
      error: Object.assign(new Error("x"), {
        format: () => "fastloop.yaml:3:1: unknown key `neds`\nhint: needs",
      }) as never,
    },
    0,
    at,
  );
  expect(shown(board).slice(0, 2)).toEqual(["✗ broken: fastloop.yaml:3:1: unknown key `neds`", "  hint: needs"]);
  board.note({ kind: "recovered" }, 0, at);
  expect(shown(board)[0]).toMatch(/^✓ current/);
});

test("a filter shows and names what it leaves", () => {
  const board = new Board("/p");
  board.setState(stateOf({ name: "lib" }, { name: "api" }));
  expect(shown(board, { filter: "ap" })).toEqual([
    expect.stringContaining("api"),
    " 1 unknown  only ap",
    expect.stringContaining("a run these"),
  ]);
  expect(shown(board, { filter: "ap", isTyping: true }).at(-1)).toBe(" filter: ap▏  enter keeps it, esc shows all");
});

test.each([
  ["a", false, ["run-all"]],
  ["fmq", false, ["rerun-failed", "toggle-manual", "quit"]],
  ["/ap\r", false, ["start-filter", "text a", "text p", "accept"]],
  ["q\u007f", true, ["text q", "erase"]],
  ["\u001b", true, ["clear"]],
  ["\u0003", true, ["interrupt"]],
  ["\u001b[A", false, []],
  ["z", false, []],
] as const)("the keys %j while typing is %s mean %j", (input, isTyping, expected) => {
  const actions = keyActions(input, isTyping).map((action) =>
    action.kind === "text" ? `text ${action.text}` : action.kind,
  );
  expect(actions).toEqual(expected);
});

test("what runs shows its newest open step, what has run the words of its test runner", () => {
  const board = new Board("/p");
  board.note({ kind: "started", name: "lib", digest: "abcdef0123", reasons: [{ kind: "never-run" }], atMs: 0 }, 0, at);
  const step = (name: string, done: boolean): void =>
    board.note({ kind: "step", name: "lib", step: name, done, cached: false }, 0, at);
  step("exec sh -ec npm ci", false);
  step("exec sh -ec npm ci", false);
  step("copy /app", false);
  step("copy /app", true);
  board.setState(stateOf({ name: "lib", phase: "running", verdict: "unknown", running: "abcdef0123" }));
  expect(shown(board)[0]).toBe("▶ running   lib  abcdef01  1 min 5 s  npm ci");
  step("exec sh -ec npm ci", true);
  step('exec sh -c start=$(date +%s); sh -ec "$1"; exit $code sh npm run build; npm test', false);
  expect(shown(board)[0]).toBe("▶ running   lib  abcdef01  1 min 5 s  npm run build; npm test");
  board.note(finished("lib", { tests: { passed: 297, failed: 0, skipped: 0, packages: 0 } }), 400, at);
  board.setState(stateOf({ name: "lib", phase: "idle", verdict: "current" }));
  expect(shown(board)[0]).toBe("✓ current   lib  abcdef01  400 ms  12:00:05  297 passed  never run here");
});

test("a failure begins with the tests that failed", () => {
  const board = new Board("/p");
  board.note({ kind: "started", name: "lib", digest: "abcdef0123", reasons: [], atMs: 0 }, 0, at);
  board.note({ kind: "output", name: "lib", stream: "stdout", text: "one\ntwo\nthree\n" }, 0, at);
  const failedTests = ["a", "b", "c", "d", "e", "f", "g"];
  board.note(
    finished("lib", { outcome: "failed", error: { message: "it failed", exitCode: 1 }, failedTests }),
    400,
    at,
  );
  board.setState(stateOf({ name: "lib", phase: "idle", verdict: "failed" }));
  expect(shown(board).slice(1, 11)).toEqual([
    "✗ lib: it failed",
    ...["a", "b", "c", "d", "e"].map((name) => `  ✗ ${name}`),
    "    and 2 more",
    "  │ one",
    "  │ two",
    "  │ three",
  ]);
  expect(shown(board, { rows: 8 }).slice(1, 5)).toEqual([
    "✗ lib: it failed",
    "  ✗ a",
    "  ✗ b",
    "  log: .fastloop/runs/lib.log",
  ]);
});

test("what is waited for stands first, with its clock, until it is there", () => {
  const board = new Board("/p");
  board.note({ kind: "waiting", what: "for the engine", waitedMs: 1000, done: false }, 62_000, at);
  expect(board.isBusy).toBe(true);
  expect(shown(board)[0]).toBe("… 4 s  waiting for the engine");
  board.note({ kind: "waiting", what: "for the engine", waitedMs: 4000, done: true }, 65_000, at);
  expect(shown(board)[0]).not.toContain("waiting");
});

test("a run shows what runs and waits, and nothing of what is at rest", () => {
  const board = new Board("/p");
  for (const name of ["lib", "done"])
    board.note({ kind: "started", name, digest: "abcdef0123", reasons: [{ kind: "never-run" }], atMs: 0 }, 53_000, at);
  board.note(finished("done"), 54_000, at);
  board.setState(
    stateOf(
      { name: "done", phase: "idle", verdict: "current" },
      { name: "lib", phase: "running", verdict: "unknown", running: "abcdef0123" },
      { name: "api", phase: "queued", verdict: "unknown", needs: ["lib"] },
    ),
  );
  const lines = layoutRun(board, { columns: 80, rows: 24, nowMs: 65_000 }).map((line) =>
    line.map(({ text }) => text).join(""),
  );
  expect(lines).toEqual(["▶ lib  12 s  never run here", "○ api  waits for lib"]);
});
