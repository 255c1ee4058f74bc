import { expect, test } from "vitest";
import { compareRatios, parseRatios, type KeptRatios } from "../../bench/ratios.ts";

const night = (ratio: number | undefined) => [
  {
    name: "call",
    rows: [{ case: "50 files", value: 100, unit: "ms" as const, ...(ratio === undefined ? {} : { ratio }) }],
  },
];

function after(ratios: readonly number[]): KeptRatios {
  return ratios.reduce<KeptRatios>((kept, ratio) => compareRatios(kept, night(ratio)).kept, {});
}

test("a ratio that is more than 15 % above the middle of the nights before is worse, less is not", () => {
  const before = after([2, 1.9, 9, 2, 2.1]);
  expect(compareRatios(before, night(2.29)).worse).toEqual([]);
  expect(compareRatios(before, night(2.31)).worse).toEqual([{ case: "call: 50 files", ratio: 2.31, usual: 2 }]);
});

test("two nights say nothing of what is usual, and a row without a ratio nothing at all", () => {
  expect(compareRatios(after([1, 1]), night(5)).worse).toEqual([]);
  expect(compareRatios(after([1, 1, 1]), night(5)).worse).toHaveLength(1);
  expect(compareRatios({}, night(undefined))).toEqual({ worse: [], kept: {} });
});

test("two weeks are kept, so that what stays worse is usual in the end", () => {
  const kept = after([...Array.from({ length: 20 }, () => 1), ...Array.from({ length: 8 }, () => 2)]);
  expect(kept["call: 50 files"]).toHaveLength(14);
  expect(compareRatios(kept, night(2)).worse).toEqual([]);
});

test("a damaged file is none, and what is no list of numbers in it is left", () => {
  expect(parseRatios("{")).toEqual({});
  expect(parseRatios("null")).toEqual({});
  expect(parseRatios(JSON.stringify({ a: [1, 2], b: ["x"], c: 1 }))).toEqual({ a: [1, 2] });
});
