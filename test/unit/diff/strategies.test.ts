import { describe, expect, it } from "vitest";
import { guardedStrategy, type DiffStrategy, type SpanNode } from "../../../src/diff/index.ts";
import { setBased } from "../../../src/diff/set-based.ts";

const span = (name: string, children: SpanNode[] = []): SpanNode => ({ name, durationMs: 1, cached: false, children });
const before = span("run", [span("build"), span("test")]);
const now = span("run", [span("build"), span("lint")]);
const strategy = (diff: unknown): DiffStrategy => guardedStrategy({ name: "mine", diff: diff as DiffStrategy["diff"] });

describe("a strategy of the project's", () => {
  it("gives what it found", () => {
    expect(strategy(setBased.diff).diff(before, now)).toEqual(setBased.diff(before, now));
  });

  it.each([
    [
      "throws",
      () => {
        throw new Error("no idea");
      },
      "diff() failed: no idea",
    ],
    ["gives nothing", () => undefined, /^diff\(\) gave no tree of changes: /],
    [
      "has a change that is none, deep in the tree",
      () => ({ name: "run", change: "same", children: [{ name: "x", change: "odd", children: [] }] }),
      /^diff\(\) gave no tree of changes: children\.0\.change: /,
    ],
    [
      "puts a node below itself",
      () => {
        const node: { name: string; change: string; children: unknown[] } = {
          name: "run",
          change: "same",
          children: [],
        };
        node.children.push(node);
        return node;
      },
      "diff() gave no tree of changes: it is more than 100 levels deep",
    ],
    [
      "doubles at each level",
      () => {
        let node = { name: "run", change: "same", children: [] as unknown[] };
        for (let level = 0; level < 60; level++) node = { name: "run", change: "same", children: [node, node] };
        return node;
      },
      "diff() gave no tree of changes: it has more than 1000000 nodes",
    ],
    [
      "is async",
      async () => Promise.resolve(setBased.diff(before, now)),
      /it is a promise; diff\(\) must not be async$/,
    ],
    ["is async and fails", async () => Promise.reject(new Error("no")), /it is a promise; diff\(\) must not be async$/],
  ])("that %s is named", (_what, diff, message) => {
    expect(() => strategy(diff).diff(before, now)).toThrow(message);
    try {
      strategy(diff).diff(before, now);
    } catch (error) {
      expect(error).toMatchObject({ code: "config", place: 'the diff strategy "mine"' });
    }
  });
});
