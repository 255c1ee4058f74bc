import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Feed, type FeedMessage } from "../../../src/page/feed.ts";
import type { LogLine, PageChange, PageNode, PageState, PageTop } from "../../../src/page/types.ts";

const top: PageTop = { project: "p", command: "fastloop watch", version: "0", status: "", tone: "good" };
const state: PageState = { top, nodes: [], notices: [], logEnd: 0 };
const node = (id: string, word: string): PageNode => ({
  id,
  kind: "function",
  name: id,
  needs: [],
  state: word,
  tone: "good",
  can: [],
});
const line = (number: number, text = `line ${number}`): LogLine => [number, "a", "out", 0, text];

let feed: Feed;
/** What one page has been sent. */
function follow(last?: string): { got: FeedMessage[]; changes(): PageChange[]; stop(): void } {
  const got: FeedMessage[] = [];
  const stop = feed.subscribe(last, (message) => got.push(message));
  const changes = (): PageChange[] =>
    got.filter(({ event }) => event === "change").map(({ data }) => JSON.parse(data) as PageChange);
  return { got, changes, stop };
}
/** A batch by itself. */
function send(change: PageChange): void {
  feed.note(change);
  vi.advanceTimersByTime(1_000);
}

beforeEach(() => {
  vi.useFakeTimers();
  feed = new Feed(() => state);
});
afterEach(() => {
  feed.close();
  vi.useRealTimers();
});

describe("the feed", () => {
  test("begins with the whole state, and then sends what changes in batches whose ids go up", () => {
    const { got } = follow();
    expect(got).toMatchObject([{ event: "state", data: JSON.stringify(state) }]);
    send({ notices: [{ atMs: 1, text: "one" }] });
    send({ notices: [{ atMs: 2, text: "two" }] });
    expect(got.map(({ event }) => event)).toEqual(["state", "change", "change"]);
    const numbers = got.map(({ id }) => Number(id.split(".")[1]));
    expect(numbers).toEqual([0, 1, 2]);
  });

  test("puts together what comes within a batch: of a node the newest, of lines and notices all, in their order", () => {
    const { changes } = follow();
    feed.note({ nodes: [node("a", "running"), node("b", "stale")], lines: [line(1)] });
    feed.note({ nodes: [node("a", "failed")], notices: [{ atMs: 1, text: "one" }], order: ["b"] });
    feed.note({ lines: [line(2), line(3)], notices: [{ atMs: 2, text: "two" }], top, order: ["a", "b"] });
    expect(changes()).toEqual([]);
    vi.advanceTimersByTime(1_000);
    expect(changes()).toEqual([
      {
        nodes: [node("a", "failed"), node("b", "stale")],
        lines: [line(1), line(2), line(3)],
        notices: [
          { atMs: 1, text: "one" },
          { atMs: 2, text: "two" },
        ],
        order: ["a", "b"],
        top,
      },
    ]);
  });

  test("has room for a batch of a hundred thousand lines", () => {
    const { changes } = follow();
    feed.note({ lines: [] });
    feed.note({ lines: Array.from({ length: 200_000 }, (_, index) => line(index + 1, "")) });
    vi.advanceTimersByTime(1_000);
    expect(changes()[0]?.lines).toHaveLength(200_000);
  });

  test("goes on after a lost connection with exactly what was missed", () => {
    const first = follow();
    send({ lines: [line(1)] });
    first.stop();
    const last = first.got.at(-1)!.id;
    send({ lines: [line(2)] });
    // In no batch yet when the page is back.
    feed.note({ lines: [line(3)] });
    const second = follow(last);
    expect(second.got.map(({ event }) => event)).toEqual(["change", "change"]);
    expect(second.changes()).toEqual([{ lines: [line(2)] }, { lines: [line(3)] }]);
    send({ lines: [line(4)] });
    expect(second.changes().at(-1)).toEqual({ lines: [line(4)] });
    expect(first.changes()).toEqual([{ lines: [line(1)] }]);
    // Who missed nothing gets nothing.
    expect(follow(second.got.at(-1)!.id).got).toEqual([]);
  });

  test("sends the whole state where the id is of another process, of the future, or none", () => {
    send({ lines: [line(1)] });
    const epoch = follow().got[0]!.id.split(".")[0]!;
    for (const id of [
      "",
      ".",
      "1",
      "0123456789ab.1",
      `${epoch}.2`,
      `${epoch}.-1`,
      `${epoch}.0.5`,
      `${epoch}.x`,
      `${epoch}.`,
      `${epoch}.0e0`,
    ])
      expect(follow(id).got, id).toMatchObject([{ event: "state" }]);
    const other = new Feed(() => state);
    const got: FeedMessage[] = [];
    other.subscribe(`${epoch}.1`, (message) => got.push(message));
    expect(got).toMatchObject([{ event: "state" }]);
  });

  test("keeps so much of what was sent, and who missed more gets the whole state", () => {
    const { got } = follow();
    const ids = Array.from({ length: 6 }, (_, index) => {
      send({ lines: [line(index + 1, "x".repeat(1024 * 1024))] });
      return got.at(-1)!.id;
    });
    expect(follow(ids.at(-2)).got.map(({ event }) => event)).toEqual(["change"]);
    expect(follow(ids[0]).got.map(({ event }) => event)).toEqual(["state"]);
    // Larger by itself than all that is kept.
    send({ lines: [line(7, "x".repeat(5 * 1024 * 1024))] });
    expect(follow(ids.at(-1)).got.map(({ event }) => event)).toEqual(["state"]);
    expect(got.at(-1)!.event).toBe("change");
  });

  test("is silent once it is closed", () => {
    const { got } = follow();
    feed.note({ lines: [line(1)] });
    feed.close();
    vi.advanceTimersByTime(1_000);
    expect(got).toHaveLength(1);
  });
});
