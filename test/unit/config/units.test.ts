import { expect, test } from "vitest";
import { durationMs, sizeBytes } from "../../../src/config/index.ts";
import { editDistance, suggest } from "../../../src/config/suggest.ts";

test("durations are read as milliseconds", () => {
  expect(["50ms", "1.5s", "2m", "1h", "1d"].map(durationMs)).toEqual([50, 1_500, 120_000, 3_600_000, 86_400_000]);
  expect(() => durationMs("50")).toThrow(RangeError);
});

test("sizes are read as bytes, decimal and binary", () => {
  expect(["1.2GB", "1 GiB", "10B"].map(sizeBytes)).toEqual([1_200_000_000, 1_073_741_824, 10]);
});

test("two neighbours that changed places are one mistake", () => {
  expect(editDistance("wacth", "watch")).toBe(1);
});

test("a word that is like none has no suggestion", () => {
  expect(suggest("zebra", ["watch", "tests"])).toBeUndefined();
});
