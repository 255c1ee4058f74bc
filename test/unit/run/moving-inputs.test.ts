import { expect, test } from "vitest";
import type { FinishedNotice } from "../../../src/run/index.ts";
import { MovingInputs } from "../../../src/run/moving-inputs.ts";

const ended = (fresh: boolean, name = "lib"): FinishedNotice => ({
  kind: "finished", name, digest: "d", outcome: "passed", fresh, durationMs: 1, steps: { total: 0, cached: 0 }, attempts: 1, logFile: "l",
});

test("a function whose inputs moved during each of three runs in a row fails, each for itself", () => {
  const moving = new MovingInputs();
  const outcomes = [false, false, true, false, false].map((fresh) => moving.judge(ended(fresh)).outcome);
  expect(outcomes).toEqual(["passed", "passed", "passed", "passed", "passed"]);
  expect(moving.judge(ended(false, "api")).outcome).toBe("passed");
  expect(moving.judge(ended(false))).toMatchObject({ outcome: "failed", fresh: true, error: { message: "its inputs changed during each of 3 runs" } });
});
