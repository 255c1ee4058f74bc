import { expect, test } from "vitest";
import { cliFile } from "../e2e/cli-process.ts";
import { chaosOfRuns } from "./runs.ts";
import { chaos } from "./story.ts";

/** A short one of `npm run chaos`; the long ones are in docs/performance.md. */
test(
  "after random edits, checkouts, bursts and kills the watch says what a clean run computes",
  { timeout: 600_000 },
  async () => {
    const result = await chaos({ seed: 1, operations: 120, cliFile, note: () => undefined });
    expect(result).toMatchObject({ differences: [], needless: [], missed: [] });
  },
);

test(
  "what a run says at its end is true of the files, whatever was edited beside it",
  { timeout: 600_000 },
  async () => {
    const result = await chaosOfRuns({ seed: 1, operations: 120, cliFile, note: () => undefined });
    expect(result).toMatchObject({ differences: [], needless: [] });
    expect(result.judged).toBeGreaterThan(3);
  },
);
