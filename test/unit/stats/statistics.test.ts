import { describe, expect, test } from "vitest";
import type { HistoryEntry } from "../../../src/run/index.ts";
import {
  compareStatistics,
  csvOf,
  htmlOf,
  momentOf,
  percentile,
  periodBefore,
  periodOf,
  renderComparison,
  renderStatistics,
  statisticsOf,
} from "../../../src/stats/index.ts";

const start = Date.parse("2026-03-01T12:00:00");
const minute = 60_000;
const day = 24 * 60 * minute;
const period = { fromMs: start, toMs: start + 10 * day };
const plain = (_style: string, text: string): string => text;

function ran(at: number, changes: Partial<HistoryEntry> = {}): HistoryEntry {
  return {
    id: `id${at}`,
    target: "test",
    at: start + at,
    outcome: "passed",
    durationMs: 1000,
    digest: `d${at}`,
    ...changes,
  };
}

describe("figures", () => {
  test("count outcomes, and what was current as answers that needed no run", () => {
    const { total, functions } = statisticsOf(
      [
        ran(0, { durationMs: 1000 }),
        ran(1, { outcome: "failed", durationMs: 3000 }),
        ran(2, { outcome: "cancelled", durationMs: 50 }),
        ran(3, { outcome: "current", durationMs: 4000, count: 4 }),
      ],
      period,
    );
    expect(total).toMatchObject({
      runs: 3,
      passed: 1,
      failed: 1,
      cancelled: 1,
      current: 4,
      waitedMs: 4050,
      savedMs: 4000,
    });
    expect(total.hitRate).toBeCloseTo(4 / 6);
    expect(total.failureRate).toBe(0.5);
    // A run that was cancelled says nothing of how long it takes.
    expect(total.duration).toMatchObject({ count: 2, meanMs: 2000, p50Ms: 1000, p95Ms: 3000 });
    expect(functions.map(({ name }) => name)).toEqual(["test"]);
  });

  test("of steps say how many the engine's cache had", () => {
    const { total } = statisticsOf([ran(0, { steps: [8, 2] }), ran(1, { steps: [2, 2] }), ran(2)], period);
    expect(total.stepHitRate).toBeCloseTo(0.4);
  });

  test("leave out what nothing is known of", () => {
    const { total } = statisticsOf([], period);
    expect(total).not.toHaveProperty("hitRate");
    expect(total).not.toHaveProperty("duration");
  });

  test("are those of the period alone, and of its days", () => {
    const { total, days } = statisticsOf([ran(-1), ran(0), ran(day), ran(day + 1), ran(10 * day)], period);
    expect(total.runs).toBe(3);
    expect(days.map((each) => [each.day, each.runs])).toEqual([
      ["2026-03-01", 1],
      ["2026-03-02", 2],
    ]);
  });

  test("of tiers take what was current to the tier of its function", () => {
    const { tiers } = statisticsOf(
      [
        ran(0, { tier: "smoke" }),
        ran(1, { outcome: "current", durationMs: 9 }),
        ran(2, { target: "e2e", tier: "full" }),
      ],
      period,
    );
    expect(tiers.map(({ tier, runs, current }) => [tier, runs, current])).toEqual([
      ["smoke", 1, 1],
      ["full", 1, 0],
    ]);
  });

  test("see a trend only where there are runs enough", () => {
    const slowing = [1000, 1000, 1000, 2000, 2000, 2000].map((durationMs, at) => ran(at, { durationMs }));
    expect(statisticsOf(slowing, period).functions[0]?.trend).toBeCloseTo(1);
    expect(statisticsOf(slowing.slice(1), period).functions[0]).not.toHaveProperty("trend");
  });

  test("tell how long a save waits for its verdict", () => {
    const { total } = statisticsOf([ran(0, { editMs: 300 }), ran(1, { editMs: 900 }), ran(2)], period);
    expect(total.editToVerdict).toMatchObject({ count: 2, p50Ms: 300, p95Ms: 900 });
  });
});

describe("tests", () => {
  test("are flaky that failed where their function passed, or at its first try", () => {
    const { flakyTests } = statisticsOf(
      [
        ran(0, { outcome: "failed", digest: "same", failedTests: ["clock"] }),
        ran(1, { digest: "same" }),
        ran(2, { outcome: "failed", digest: "other", failedTests: ["broken"] }),
        ran(3, { flakyTests: ["net", "clock"] }),
      ],
      period,
    );
    expect(flakyTests.map(({ test: name, failures }) => [name, failures])).toEqual([
      ["clock", 2],
      ["net", 1],
    ]);
  });

  test("on files that moved meanwhile prove nothing", () => {
    const entries = [
      ran(0, { outcome: "failed", digest: "d", stale: true, failedTests: ["a"] }),
      ran(1, { digest: "d" }),
    ];
    expect(statisticsOf(entries, period).flakyTests).toEqual([]);
  });

  test("are slow by the middle of their times", () => {
    const entries = [
      ran(0, { slowTests: [["a", 100], ["b", 900]] }), // prettier-ignore
      ran(1, { slowTests: [["a", 5000], ["b", 800]] }), // prettier-ignore
      ran(2, { slowTests: [["a", 100]] }), // prettier-ignore
    ];
    expect(statisticsOf(entries, period).slowestTests.map((each) => [each.test, each.p50Ms, each.maxMs])).toEqual([
      ["b", 800, 900],
      ["a", 100, 5000],
    ]);
  });
});

test("percentiles are those of the nearest rank", () => {
  const values = Array.from({ length: 100 }, (_, index) => index + 1);
  expect([50, 95, 100, 1].map((percent) => percentile(values, percent))).toEqual([50, 95, 100, 1]);
  expect(percentile([7], 95)).toBe(7);
});

describe("periods", () => {
  test("are how long ago, dates, or both ends", () => {
    expect(momentOf("--since", "7d", start)).toBe(start - 7 * day);
    expect(momentOf("--since", "2026-03-01", start)).toBe(Date.parse("2026-03-01T00:00:00"));
    expect(periodOf("--compare", "2026-03-01..2026-03-02", start)).toEqual({
      fromMs: Date.parse("2026-03-01T00:00:00"),
      toMs: Date.parse("2026-03-03T00:00:00"),
    });
    expect(periodBefore({ fromMs: 100, toMs: 150 })).toEqual({ fromMs: 50, toMs: 100 });
  });

  test.each(["yesterday", "", "-3d", "2026-99-99"])("cannot be %j", (text) => {
    expect(() => momentOf("--since", text, start)).toThrow(/not a time/);
  });

  test.each(["..", "2026-03-02..2026-03-01", "1d..2d..3d"])("cannot be %j", (text) => {
    expect(() => periodOf("--compare", text, start)).toThrow(/period/);
  });
});

test("two periods are compared by function, what changed most first", () => {
  const before = statisticsOf([ran(0), ran(1, { target: "gone" }), ran(2, { target: "still" })], period);
  const now = statisticsOf(
    [ran(0, { durationMs: 3000 }), ran(1, { target: "still" }), ran(2, { target: "new" })],
    period,
  );
  const compared = compareStatistics(before, now);
  expect(compared.map(({ name, p50Change }) => [name, p50Change])).toEqual([
    ["test", 2],
    ["gone", undefined],
    ["new", undefined],
    ["still", 0],
  ]);
  expect(renderComparison(before, now, compared, plain)).toMatch(/^test +1\.0 s +3\.0 s +\+200 %/m);
});

describe("shown", () => {
  const hostile = `<img src=x onerror="alert(1)">\u001b[2J,"`;
  const statistics = statisticsOf(
    [ran(0, { target: hostile, failedTests: [hostile], slowTests: [[hostile, 5]], digest: "d", outcome: "failed" }), ran(1, { target: hostile, digest: "d" })], // prettier-ignore
    period,
  );

  test("as a page that is text whatever names say, and fetches nothing", () => {
    const page = htmlOf(hostile, statistics);
    expect(page).not.toContain("<img");
    expect(page).not.toMatch(/<script|<[^>]*\s(?:src|href|on\w+)=|url\(/);
    expect(page).not.toContain("\u001b");
    expect(page).toContain("&lt;img");
    expect(page).toContain("default-src 'none'");
    expect(page.match(/<svg/g)?.length).toBeGreaterThan(1);
  });

  test("as CSV that keeps commas, quotes and what looks like a formula", () => {
    const lines = csvOf(statisticsOf([ran(0, { target: `a,"b"` }), ran(1, { target: "=1+1" })], period)).split("\r\n");
    expect(lines[0]).toMatch(/^function,tier,runs,/);
    expect(lines.slice(1, 3).map((line) => line.slice(0, 9)).toSorted()).toEqual([`"a,""b""`.concat('"').slice(0, 9), "'=1+1,,1,"].toSorted()); // prettier-ignore
  });

  test("as a table whose names move no cursor", () => {
    const text = renderStatistics(statistics, plain);
    expect(text).not.toContain("\u001b");
    expect(text).toMatch(/2 runs, 0 answers without one/);
    expect(text).toContain("flaky tests");
  });
});
