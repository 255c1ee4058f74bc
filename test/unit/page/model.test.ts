import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { PageModel } from "../../../src/page/model.ts";
import type { PageChange, PageNode, PageTop } from "../../../src/page/types.ts";

let top: PageTop;
let nodes: PageNode[];
let looks: number;
let model: PageModel;
let changes: PageChange[];

const node = (id: string, state = "current"): PageNode => ({
  id,
  kind: "function",
  name: id,
  needs: [],
  state,
  tone: "good",
  can: ["run"],
});

beforeEach(() => {
  vi.useFakeTimers();
  top = { project: "p", command: "fastloop watch", version: "0", status: "2 current", tone: "good" };
  nodes = [node("a"), node("b")];
  looks = 0;
  model = new PageModel(() => {
    looks++;
    return { top, nodes };
  });
  changes = [];
  model.feed.subscribe(undefined, ({ event, data }) => {
    if (event === "change") changes.push(JSON.parse(data) as PageChange);
  });
  vi.advanceTimersByTime(1_000);
  changes.length = 0;
  looks = 0;
});
afterEach(() => {
  model.close();
  vi.useRealTimers();
});

describe("the model", () => {
  test("looks once for many touches, and tells only what is another", () => {
    nodes = [node("a"), node("b", "failed")];
    for (let index = 0; index < 1_000; index++) model.touch();
    vi.advanceTimersByTime(1_000);
    expect(looks).toBe(1);
    expect(changes).toEqual([{ nodes: [node("b", "failed")] }]);
    model.touch();
    vi.advanceTimersByTime(1_000);
    expect(changes).toHaveLength(1);
  });

  test("tells the order where one came, went or moved", () => {
    for (const ids of [["b", "a"], ["b", "a", "c"], ["a"]]) {
      nodes = ids.map((id) => node(id));
      model.touch();
      vi.advanceTimersByTime(1_000);
      expect(changes.at(-1)?.order).toEqual(ids);
    }
    const { nodes: shown } = model.state;
    expect(shown.find(({ id }) => id === "b")).toBeUndefined();
    expect(shown.find(({ id }) => id === "a")).toEqual(node("a"));
  });

  test("tells the top of the page when it is another", () => {
    top = { ...top, status: "1 failed", tone: "bad" };
    model.touch();
    vi.advanceTimersByTime(1_000);
    expect(changes).toEqual([{ top }]);
  });

  test("has a state that is of now, with the last hundred notices", () => {
    for (let index = 1; index <= 150; index++) model.notice(`notice ${index}`, index);
    nodes = [node("a", "running")];
    const { state } = model;
    expect(state.nodes).toEqual(nodes);
    expect(state.notices).toHaveLength(100);
    expect(state.notices[0]).toEqual({ atMs: 51, text: "notice 51" });
    expect(state.notices.at(-1)).toEqual({ atMs: 150, text: "notice 150" });
  });

  test("tells lines when they are whole, and what was begun before lines of its own", () => {
    model.print("a", "out", "half", 1);
    vi.advanceTimersByTime(1_000);
    expect(changes).toEqual([]);
    model.print("a", "out", " and half\nrest", 2);
    model.printLines("a", "step", ["✓ passed"], 3);
    vi.advanceTimersByTime(1_000);
    expect(changes).toEqual([
      {
        lines: [
          [1, "a", "out", 2, "half and half"],
          [2, "a", "out", 3, "rest"],
          [3, "a", "step", 3, "✓ passed"],
        ],
      },
    ]);
    expect(model.state.logEnd).toBe(3);
  });

  test("does not look any more once it is closed", () => {
    model.touch();
    model.close();
    vi.advanceTimersByTime(1_000);
    expect(looks).toBe(0);
  });
});
