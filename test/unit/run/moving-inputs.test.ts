import { expect, test } from "vitest";
import { MovingInputs } from "../../../src/run/function-run/moving-inputs.ts";
import type { FinishedNotice } from "../../../src/run/events.ts";

const ended = (outcome: FinishedNotice["outcome"], name = "lib"): FinishedNotice => ({
  kind: "finished",
  name,
  digest: "d",
  outcome,
  fresh: outcome !== "stale",
  moved: ["lib/log"],
  durationMs: 1,
  steps: { total: 0, cached: 0 },
  attempts: 1,
  logFile: "",
});

test("a function whose inputs change in each run of a command fails at the sixth, and the file is named", () => {
  const moving = new MovingInputs();
  for (let run = 1; run < 6; run++) {
    moving.started("lib");
    expect(moving.judge(ended("stale")).outcome).toBe("stale");
  }
  moving.started("lib");
  moving.started("api");
  expect(moving.judge(ended("stale", "api")).outcome).toBe("stale");
  expect(moving.judge(ended("stale"))).toMatchObject({
    outcome: "failed",
    fresh: true,
    error: { message: expect.stringContaining("lib/log") },
  });
  expect([moving.hasGivenUp("lib"), moving.hasGivenUp("api")]).toEqual([true, false]);
});

test("a sixth run whose inputs stood still is what it came to", () => {
  const moving = new MovingInputs();
  for (let run = 1; run <= 6; run++) moving.started("lib");
  expect(moving.judge(ended("passed"))).toEqual(ended("passed"));
});
