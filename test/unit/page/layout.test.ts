/** Where the graph's cards stand. */
import { describe, expect, test } from "vitest";
import { nodeHeight, nodeWidth, place, type Placed } from "../../../src/page/client/graph/layout.ts";

const ids = Array.from({ length: 1_000 }, (_, index) => `n${index}`);
type Needs = [from: string, to: string][];
const needsOf = (of: (index: number) => number[]): Needs =>
  ids.flatMap((id, index) => of(index).flatMap((need): Needs => (need < 0 ? [] : [[ids[need]!, id]])));

const shapes: Record<string, Needs> = {
  "one chain": needsOf((index) => [index - 1]),
  // Led around the cards, as a smaller graph is, these take a minute and more.
  "a chain with long ways": needsOf((index) => [index - 1, index - 7, index - 40]),
  "needs at random": needsOf((index) => (index === 0 ? [] : [(index * 7919) % index, (index * 104_729) % index])),
  "wide layers": needsOf((index) => (index < 100 ? [] : [index - 100])),
};

const overlaps = ({ places }: Placed): string[] => {
  const taken = new Map<string, string>();
  return Object.entries(places).flatMap(([id, { x, y }]) => {
    const cell = `${x}/${y}`;
    const other = taken.get(cell);
    taken.set(cell, id);
    return other === undefined ? [] : [`${other} and ${id}`];
  });
};

describe("a graph of a thousand", () => {
  test.each(Object.entries(shapes))("%s: all have a place of their own, in reading order", (_name, needs) => {
    const placed = place({ ids, needs });
    expect(Object.keys(placed.places)).toHaveLength(ids.length);
    expect(overlaps(placed)).toEqual([]);
    for (const { x, y } of Object.values(placed.places)) {
      expect(x - nodeWidth / 2).toBeGreaterThanOrEqual(0);
      expect(y - nodeHeight / 2).toBeGreaterThanOrEqual(0);
      expect(x + nodeWidth / 2).toBeLessThanOrEqual(placed.width);
      expect(y + nodeHeight / 2).toBeLessThanOrEqual(placed.height);
    }
    for (const [from, to] of needs) {
      const [a, b] = [placed.places[from]!, placed.places[to]!];
      // To the right of it, or in a band further down.
      expect(a.x < b.x || a.y < b.y).toBe(true);
    }
    // The browser draws no lines that are wider than this.
    expect(placed.width).toBeLessThan(10_000);
  });

  test("a circle and what nobody needs are placed, too", () => {
    const circle = needsOf((index) => [(index + 500) % 1_000, index - 1]);
    const placed = place({ ids: [...ids, "alone"], needs: circle });
    expect(Object.keys(placed.places)).toHaveLength(1_001);
    expect(overlaps(placed)).toEqual([]);
  });
});
