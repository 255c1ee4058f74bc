import { expect, test } from "vitest";
import { backoffMs, Holds } from "../../../src/run/holds.ts";
import { FakeClock } from "../watch/fake-clock.ts";

/** The whole watch rests 50 ms; `slow` asks for 500 ms. */
function rig() {
  const clock = new FakeClock();
  const holds = new Holds(clock, 50);
  const released: [number, string[]][] = [];
  const look = (digest: string): boolean => {
    const held = holds.isHeld("slow", digest, 500);
    holds.whenReleased((names) => released.push([clock.nowMs(), names]));
    return held;
  };
  return { clock, holds, released, look };
}

test("the state found at the start runs at once, an edit rests for the function's own time", () => {
  const { clock, released, look } = rig();
  expect(look("1")).toBe(false);
  clock.advanceTo(1000);
  expect(look("2")).toBe(true);
  clock.advanceTo(1449);
  expect(released).toEqual([]);
  clock.advanceTo(1450);
  expect(released).toEqual([[1450, ["slow"]]]);
});

test("an edit of its inputs starts the time again, an edit of others does not", () => {
  const { clock, released, look } = rig();
  look("1");
  clock.advanceTo(1000);
  look("2");
  clock.advanceTo(1300);
  look("3");
  clock.advanceTo(1500);
  expect(look("3")).toBe(true);
  clock.advanceTo(5000);
  expect(released).toEqual([[1750, ["slow"]]]);
});

test("inputs that never rest are taken after ten times as long", () => {
  const { clock, released, look } = rig();
  look("0");
  for (let edit = 1; edit <= 60; edit++) {
    clock.advanceTo(edit * 100);
    look(`${edit}`);
  }
  expect(released[0]).toEqual([5100, ["slow"]]);
});

test("a time shorter than that of the whole watch changes nothing", () => {
  const { holds } = rig();
  holds.isHeld("quick", "1", 20);
  expect(holds.isHeld("quick", "2", 20)).toBe(false);
  expect(holds.isHeld("plain", "2", undefined)).toBe(false);
});

test("a function whose inputs never rest waits twice as long each time, a minute at most, whatever moves meanwhile", () => {
  const { clock, holds, released } = rig();
  const waits: number[] = [];
  for (let overtaken = 1; overtaken <= 12; overtaken++) {
    const startMs = clock.nowMs();
    if (!holds.isHeld("gen", `${overtaken}`, undefined, { overtaken, endedStale: overtaken })) {
      waits.push(0);
      continue;
    }
    holds.whenReleased((names) => released.push([clock.nowMs(), names]));
    clock.advanceTo(startMs + 100);
    expect(holds.isHeld("gen", `${overtaken} and more`, undefined, { overtaken, endedStale: overtaken })).toBe(true);
    const before = released.length;
    while (released.length === before) clock.advanceTo(clock.nowMs() + 100);
    waits.push(clock.nowMs() - startMs);
  }
  expect(waits).toEqual([0, 0, 500, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  expect(holds.isHeld("gen", "at last", undefined)).toBe(false);
});

test("runs that edits cancel make a function wait two seconds at most", () => {
  expect([2, 3, 4, 5, 9].map((overtaken) => backoffMs({ overtaken, endedStale: 0 }))).toEqual([
    0, 500, 1000, 2000, 2000,
  ]);
});

test("one whose time goes by while the look that asked for it goes on is released all the same", () => {
  const { clock, holds, released } = rig();
  const row = { overtaken: 3, endedStale: 0 };
  const listen = (): void => holds.whenReleased((names) => released.push([clock.nowMs(), names]));
  expect(holds.isHeld("gen", "1", undefined, row)).toBe(true);
  listen();
  clock.advanceTo(490);
  expect(holds.isHeld("gen", "2", undefined, row)).toBe(true);
  // The look takes longer than was left; its timer is the one before it no more.
  holds.whenReleased(() => undefined);
  holds.close();
  clock.advanceTo(510);
  listen();
  expect(released).toEqual([[510, ["gen"]]]);
  clock.advanceTo(60_000);
  expect(released).toHaveLength(1);
});
