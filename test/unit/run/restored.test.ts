import { expect, test } from "vitest";
import { reduce } from "../../../src/run/machine/machine.ts";
import { restoredBy } from "../../../src/run/machine/functions.ts";
import { initialState, type LoopEvent, type LoopState } from "../../../src/run/machine/state.ts";

const uses = { containers: 1, memoryBytes: 0, cpus: 0 };
const planned = (digest: string, affected: boolean): LoopEvent => ({
  kind: "planned",
  functions: [{ name: "a", needs: [], policy: "restart", digest, affected, reasons: [], forced: false, uses }],
});
const finished = (digest: string, outcome: "passed" | "failed"): LoopEvent => ({
  kind: "finished",
  name: "a",
  digest,
  outcome,
  fresh: true,
});

/** After each event, the digests of functions that are said to be current again. */
function restored(...events: LoopEvent[]): string[] {
  let state: LoopState = initialState({ limits: { jobs: 1, containers: 9, memoryBytes: 9, cpus: 9 } });
  return events.map((event) => {
    const before = state;
    ({ state } = reduce(state, event));
    return restoredBy(before, event, state)
      .map((fn) => fn.wanted)
      .join(" ");
  });
}

test("an edit that is taken back is told, also where the edit passed", () => {
  expect(restored(planned("x", true), finished("x", "passed"), planned("y", true), finished("y", "failed"))).toEqual([
    "",
    "",
    "",
    "",
  ]);
  const edits = [planned("x", true), finished("x", "passed"), planned("y", true)];
  expect(restored(...edits, finished("y", "failed"), planned("x", false)).at(-1)).toBe("x");
  expect(restored(...edits, finished("y", "passed"), planned("x", false)).at(-1)).toBe("x");
  // While it ran: it ends as the result that is there already.
  expect(restored(...edits, planned("x", false), finished("y", "passed")).at(-1)).toBe("x");
});

test("what is as it was, and what is current at the start, is not told", () => {
  expect(restored(planned("x", false), planned("x", false))).toEqual(["", ""]);
});
