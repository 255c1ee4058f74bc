import { expect, test } from "vitest";
import { expectedTotalMs } from "../../../src/plan/index.ts";

const run = (name: string, expectedMs: number | undefined, ...needs: string[]) => ({ name, expectedMs, needs });

test.each([
  [1, [run("a", 10), run("b", 20)], 30],
  [2, [run("a", 10), run("b", 20)], 20],
  [4, [run("lib", 10), run("api", 5, "lib"), run("worker", 12)], 15],
  [2, [run("a", 10), run("b", 10), run("c", 10)], 20],
  [2, [run("a", 10), run("new", undefined)], undefined],
  [2, [], 0],
])("%d at a time, %j take %s", (jobs, runs, total) => {
  expect(expectedTotalMs(runs, jobs)).toBe(total);
});
