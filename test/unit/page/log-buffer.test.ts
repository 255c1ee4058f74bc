import { expect, test, vi } from "vitest";
import { LogBuffer } from "../../../src/page/client/logs/log-buffer.ts";
import type { LogLine } from "../../../src/page/types.ts";

const line = (number: number): LogLine => [number, "api", "out", 0, `word ${number}`];
const lines = (from: number, to: number): LogLine[] =>
  Array.from({ length: to - from + 1 }, (_, index) => line(from + index));

test("lines that come while a search runs are found once, in order", async () => {
  // A clock of one slice per step, so that the search takes several turns.
  let nowMs = 0;
  const clock = vi.spyOn(performance, "now").mockImplementation(() => (nowMs += 5));
  const buffer = new LogBuffer();
  buffer.add(lines(1, 5_000));
  const view = buffer.view("api", "word", () => undefined);
  expect(view.isSearching).toBe(true);
  buffer.add(lines(5_001, 5_003));
  await vi.waitFor(() => expect(view.isSearching).toBe(false));
  buffer.add(lines(5_004, 5_004));
  expect(view.lines.map(([number]) => number)).toEqual(lines(1, 5_004).map(([number]) => number));
  clock.mockRestore();
});

test("lines from before a reconnect don't come back", async () => {
  let nowMs = 0;
  const clock = vi.spyOn(performance, "now").mockImplementation(() => (nowMs += 5));
  const buffer = new LogBuffer();
  buffer.add(lines(1, 5_000));
  const view = buffer.view("api", "word", () => undefined);
  buffer.add(lines(5_001, 5_001));
  buffer.clear();
  buffer.add(lines(1, 2));
  await vi.waitFor(() => expect(view.isSearching).toBe(false));
  expect(view.lines.map(([number]) => number)).toEqual([1, 2]);
  clock.mockRestore();
});
