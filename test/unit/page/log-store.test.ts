import { describe, expect, test } from "vitest";
import { LogStore } from "../../../src/page/log-store.ts";

const texts = (store: LogStore): string[] => store.after(0).map((line) => line[4]);

describe("the log store", () => {
  test("makes lines out of pieces that are cut anywhere, each stream of each node by itself", () => {
    const store = new LogStore();
    expect(store.push("a", "out", "one\ntw", 1)).toEqual([[1, "a", "out", 1, "one"]]);
    expect(store.push("a", "err", "err", 2)).toEqual([]);
    expect(store.push("b", "out", "other\n", 3)).toEqual([[2, "b", "out", 3, "other"]]);
    expect(store.push("a", "out", "o\n\nthree", 4)).toEqual([
      [3, "a", "out", 4, "two"],
      [4, "a", "out", 4, ""],
    ]);
    expect(store.flush("a", 5)).toEqual([
      [5, "a", "out", 5, "three"],
      [6, "a", "err", 5, "err"],
    ]);
    expect(store.flush("a", 6)).toEqual([]);
    expect(store.end).toBe(6);
  });

  test("keeps colours, and nothing else that a terminal obeys", () => {
    const store = new LogStore();
    store.push("a", "out", "\u001b[31mred\u001b[0m\u001b]0;title\u0007\u001b[2J\rover\u202e<b>\n", 0);
    expect(texts(store)).toEqual(["\u001b[31mred\u001b[0m", "over<b>"]);
  });

  test("gives those after a number, as far as they are kept", () => {
    const store = new LogStore();
    expect(store.after(0)).toEqual([]);
    store.add("a", "out", ["one", "two", "three"], 0);
    expect(store.after(1).map(([number]) => number)).toEqual([2, 3]);
    expect(store.after(3)).toEqual([]);
    expect(store.after(99)).toEqual([]);
  });

  test("keeps the newest 100,000 lines, also of one piece with more", () => {
    const store = new LogStore();
    store.push("a", "out", "\n".repeat(250_000), 0);
    expect(store.end).toBe(250_000);
    expect(store.after(0)).toHaveLength(100_000);
    for (let index = 0; index < 10; index++) store.push("a", "out", "x\n".repeat(5_000), 0);
    const kept = store.after(0);
    expect(kept.length).toBeGreaterThanOrEqual(100_000);
    expect(kept.length).toBeLessThanOrEqual(110_000);
    expect(kept.at(-1)![0]).toBe(300_000);
    expect(kept[0]![0]).toBe(300_000 - kept.length + 1);
    expect(store.after(kept[0]![0] - 100)).toHaveLength(kept.length);
    expect(store.after(299_999)).toEqual([kept.at(-1)]);
  });

  test("keeps 24 million characters at most", () => {
    const store = new LogStore();
    for (let index = 0; index < 10_000; index++) store.add("a", "out", ["x".repeat(4_000)], 0);
    const characters = texts(store).reduce((sum, text) => sum + text.length, 0);
    expect(characters).toBeLessThanOrEqual(24 * 1024 * 1024);
    expect(characters).toBeGreaterThan(20 * 1024 * 1024);
    expect(store.after(0).at(-1)![0]).toBe(10_000);
  });

  test("cuts a line that is too long, and one that never ends does not grow for ever", () => {
    const store = new LogStore();
    store.add("a", "out", ["y".repeat(1_000_000)], 0);
    expect(texts(store)[0]).toMatch(/^y{4000}… \(cut: the log file has it whole\)$/);
    for (let index = 0; index < 100; index++) store.push("a", "out", "z".repeat(1_000), 0);
    expect(store.end).toBeGreaterThan(1);
    for (const text of texts(store)) expect(text.length).toBeLessThan(4_100);
    expect(store.flush("a", 0).every((line) => line[4].length < 4_100)).toBe(true);
  });
});
