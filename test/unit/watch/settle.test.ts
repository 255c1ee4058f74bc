import { describe, expect, test } from "vitest";
import { decide, hinted, idle, type SettleState } from "../../../src/watch/index.ts";

/** When hints come (ms), when git is at work, and when changes are taken; quiet time 50 ms, cap 500 ms. */
const cases: { name: string; hintsMs: number[]; gitMs?: [number, number]; takenMs: number[] }[] = [
  { name: "one hint is taken after the quiet time", hintsMs: [0], takenMs: [50] },
  { name: "a second hint within the quiet time moves the end", hintsMs: [0, 30], takenMs: [80] },
  { name: "hints that are further apart are taken one by one", hintsMs: [0, 55], takenMs: [50, 105] },
  { name: "hints that never rest are taken at the cap", hintsMs: range(0, 700, 20), takenMs: [500, 750] },
  { name: "nothing is taken while git is at work", hintsMs: [0, 10], gitMs: [5, 300], takenMs: [400] },
  { name: "git outranks the cap", hintsMs: range(0, 600, 20), gitMs: [0, 900], takenMs: [950] },
  {
    name: "hints after git has finished start the quiet time again",
    hintsMs: [0, 340],
    gitMs: [5, 300],
    takenMs: [400],
  },
  { name: "without hints nothing is ever taken", hintsMs: [], takenMs: [] },
];

describe("changes", () => {
  test.each(cases)("$name", ({ hintsMs, gitMs, takenMs }) => {
    expect(simulate(hintsMs, gitMs)).toEqual(takenMs);
  });
});

/** Plays the state machine on a clock of 5 ms steps, asking when it wants to be asked. */
function simulate(hintsMs: number[], git: [number, number] = [-1, -1]): number[] {
  const taken: number[] = [];
  let state: SettleState = idle;
  let askMs: number | undefined;
  for (let nowMs = 0; nowMs <= 2000; nowMs += 5) {
    for (const at of hintsMs) {
      if (Math.ceil(at / 5) * 5 !== nowMs) continue;
      const wasIdle = state.phase === "idle";
      state = hinted(state, at);
      if (wasIdle) askMs = nowMs;
    }
    if (askMs === undefined || nowMs < askMs) continue;
    const decision = decide(state, nowMs, { quietMs: 50, capMs: 500 }, nowMs >= git[0] && nowMs < git[1]);
    state = decision.state;
    if (decision.take) taken.push(nowMs);
    askMs = decision.againInMs === undefined ? undefined : nowMs + decision.againInMs;
  }
  return taken;
}

function range(from: number, to: number, step: number): number[] {
  return Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, index) => from + index * step);
}
