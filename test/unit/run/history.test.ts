import { readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { History, type HistoryEntry } from "../../../src/run/index.ts";
import { ProjectState } from "../../../src/state/index.ts";
import { makeTree } from "../tree/fixture.ts";

const start = Date.parse("2026-01-01T00:00:00Z");
const hour = 60 * 60_000;

const entry = (at: number, changes: Partial<HistoryEntry> = {}): HistoryEntry => ({
  id: `id${at}`,
  target: "test",
  at: start + at,
  outcome: "passed",
  durationMs: at,
  digest: "d",
  ...changes,
});

test("runs outlive the process in the order in which they were added", () => {
  const state = new ProjectState(makeTree());
  const history = new History(state);
  history.add(entry(1));
  history.add(entry(2), entry(3));
  new History(state).add(entry(4));
  expect(new History(state).entries().map(({ durationMs }) => durationMs)).toEqual([1, 2, 3, 4]);
  expect(new History(state).entries(start + 3).map(({ durationMs }) => durationMs)).toEqual([3, 4]);
  expect(readdirSync(path.join(state.path, "history"))).toHaveLength(1);
});

test("thousands of runs are in a few files, none of which grows without end", () => {
  const state = new ProjectState(makeTree());
  const history = new History(state);
  for (let at = 0; at < 2000; at++) history.add(entry(at));
  const files = readdirSync(path.join(state.path, "history"));
  expect(files.length).toBeGreaterThan(2);
  expect(files.length).toBeLessThan(20);
  expect(new History(state).entries().map(({ durationMs }) => durationMs)).toEqual(
    Array.from({ length: 2000 }, (_, at) => at),
  );
});

test("what was current is counted by the hour, with what it saved", () => {
  const state = new ProjectState(makeTree());
  const history = new History(state);
  const targets = [
    { target: "a", durationMs: 100 },
    { target: "b", durationMs: 7 },
  ];
  history.addCurrent(targets, start + 1);
  history.addCurrent(targets, start + 2);
  history.addCurrent(targets.slice(0, 1), start + hour);
  expect(
    new History(state).entries().map(({ target, at, count, durationMs }) => [target, at - start, count, durationMs]),
  ).toEqual([
    ["a", 0, 2, 200],
    ["b", 0, 2, 14],
    ["a", hour, 1, 100],
  ]);
});

test("a file of somebody else does not count, the others do", () => {
  const state = new ProjectState(makeTree());
  new History(state).add(entry(1));
  writeFileSync(
    path.join(state.path, "history", "20250101T000000000Z.json"),
    JSON.stringify({ version: 1, runs: [entry(9)] }),
  );
  const notices: string[] = [];
  const again = new History(new ProjectState(state.root, { onNotice: (text) => notices.push(text) }));
  expect(again.entries().map(({ durationMs }) => durationMs)).toEqual([1]);
  expect(notices).toEqual([expect.stringContaining("20250101T000000000Z.json")]);
});

test("files that do not count are removed by the next write, not by who only reads", () => {
  const state = new ProjectState(makeTree());
  const folder = path.join(state.path, "history");
  new History(state).add(entry(1));
  const [own] = readdirSync(folder);
  for (const name of ["20250101T000000000Z.json", "20250102T000000000Z.json", own!])
    writeFileSync(path.join(folder, name), "damaged");
  const notices: string[] = [];
  const again = (): History => new History(new ProjectState(state.root, { onNotice: (text) => notices.push(text) }));
  expect(again().entries()).toEqual([]);
  expect(readdirSync(folder)).toHaveLength(3);
  again().add(entry(2));
  expect(notices).toHaveLength(2);
  expect(again().entries()).toHaveLength(1);
  expect([readdirSync(folder).length, notices.length]).toEqual([1, 2]);
});
