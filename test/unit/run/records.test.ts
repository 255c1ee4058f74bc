import { existsSync, readdirSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { hasPassed } from "../../../src/plan/index.ts";
import { retentionOf, RunStore, type RunRecord } from "../../../src/run/index.ts";
import { ProjectState } from "../../../src/state/index.ts";
import { makeTree } from "../tree/fixture.ts";

const start = Date.parse("2026-01-01T00:00:00Z");

/** A digest of an input. */
const inputAt = (minute: number): string => String(minute).padStart(64, "0");

function add(store: RunStore, minute: number, changes: Partial<RunRecord> = {}): RunRecord {
  const startedAt = new Date(start + minute * 60_000);
  const target = changes.target ?? "lib";
  const id = store.newId(target, startedAt);
  const record: RunRecord = {
    version: 1,
    id,
    target,
    digest: `d${minute}`,
    fingerprint: {
      format: 2,
      function: "test",
      call: ["test"],
      inputs: [{ argument: "source", path: ".", digest: inputAt(minute) }],
      module: "m",
      engine: "e",
      environment: {},
      needs: {},
      secrets: {},
    },
    reasons: [],
    outcome: "passed",
    fresh: true,
    engine: { kind: "embedded", version: "e" },
    startedAt: startedAt.toISOString(),
    durationMs: 100 + minute,
    ...changes,
  };
  const log = store.log(id, () => undefined);
  log.open();
  log.write("log");
  log.close();
  store.add(record);
  return record;
}

test("records outlive the process, the newest first", () => {
  const state = new ProjectState(makeTree());
  const store = new RunStore(state);
  add(store, 1);
  add(store, 2, { outcome: "failed" });
  const again = new RunStore(state);
  expect(again.of("lib").map((record) => record.digest)).toEqual(["d2", "d1"]);
  expect(again.history("lib")).toMatchObject({ last: { digest: "d2" }, lastPassed: { digest: "d1" } });
});

test("a state has passed when its newest run did, on inputs that stood still", () => {
  const store = new RunStore(new ProjectState(makeTree()));
  add(store, 1, { digest: "a" });
  add(store, 2, { digest: "b", fresh: false });
  add(store, 3, { digest: "c" });
  add(store, 4, { digest: "c", outcome: "failed" });
  add(store, 5, { digest: "a", outcome: "cancelled" });
  const { lastOf } = store.history("lib");
  expect(["a", "b", "c", "d"].map((digest) => hasPassed(lastOf(digest)))).toEqual([true, false, false, false]);
});

test("after an edit that was taken back, what counted before it is the last run", () => {
  const store = new RunStore(new ProjectState(makeTree()));
  const past = (): (string | undefined)[] => [
    store.history("lib").last?.digest,
    store.history("lib").lastPassed?.digest,
  ];
  add(store, 1, { digest: "a" });
  add(store, 2, { digest: "b" });
  add(store, 3, { digest: "c", fresh: false });
  expect(past()).toEqual(["c", "b"]);
  store.countsAgain("lib", "c");
  expect(past()).toEqual(["c", "b"]);
  store.countsAgain("lib", "a");
  expect(past()).toEqual(["a", "a"]);
  add(store, 4, { digest: "d", outcome: "failed" });
  expect(past()).toEqual(["d", "a"]);
  add(store, 5, { digest: "e" });
  expect(past()).toEqual(["e", "e"]);
});

test("a record that was cut short is discarded with a notice, the others count", () => {
  const state = new ProjectState(makeTree());
  const store = new RunStore(state);
  add(store, 1);
  const broken = add(store, 2);
  truncateSync(path.join(state.path, "runs", `${broken.id}.d2.json`), 40);
  const notices: string[] = [];
  const again = new RunStore(new ProjectState(state.root, { onNotice: (text) => notices.push(text) }));
  expect(again.of("lib").map((record) => record.digest)).toEqual(["d1"]);
  expect(notices).toEqual([expect.stringContaining(broken.id)]);
});

test("old records go, by number and age, with their logs and manifests; the last success stays", () => {
  const state = new ProjectState(makeTree());
  const store = new RunStore(state);
  const success = add(store, 0);
  store.manifests.write(inputAt(0), () => new Map([["a", "f644 x"]]));
  store.manifests.write(inputAt(3), () => new Map());
  for (let minute = 1; minute <= 5; minute++) add(store, minute, { outcome: "failed" });
  store.prune({ perTarget: 2, maxAgeDays: 30 }, start + 60 * 60_000);
  expect(store.of("lib").map((record) => record.digest)).toEqual(["d5", "d4", "d0"]);
  expect(readdirSync(path.join(state.path, "runs"))).toHaveLength(6);
  expect(store.manifests.read(inputAt(0))).toEqual(new Map([["a", "f644 x"]]));
  expect(store.manifests.read(inputAt(3))).toBeUndefined();
  store.prune({ perTarget: 2, maxAgeDays: 1 }, start + 3 * 24 * 60 * 60_000);
  expect(store.of("lib").map((record) => record.id)).toEqual([success.id]);
  expect(existsSync(path.join(state.path, "runs", `${success.id}.log`))).toBe(true);
});

test("of many records only those are read that are asked for, and those of a name that two targets share are told apart", () => {
  const state = new ProjectState(makeTree());
  const store = new RunStore(state);
  for (let minute = 0; minute < 20; minute++) add(store, minute, { target: minute % 2 === 0 ? "a.b" : "a-b" });
  const notices: string[] = [];
  const again = new RunStore(new ProjectState(state.root, { onNotice: (text) => notices.push(text) }));
  const oldest = readdirSync(path.join(state.path, "runs"))
    .filter((name) => name.endsWith(".json"))
    .sort()[0]!;
  truncateSync(path.join(state.path, "runs", oldest), 10);
  expect([again.history("a.b").last?.digest, again.history("a-b").last?.digest, again.lastEngine()]).toEqual([
    "d18",
    "d19",
    "e",
  ]);
  expect(hasPassed(again.history("a.b").lastOf("d10"))).toBe(true);
  expect(again.past.expected(["a.b"])).toEqual(new Map([["a.b", 114]]));
  expect(again.passedOn("a.b", "d2")?.durationMs).toBe(102);
  expect(notices).toEqual([]);
  expect(again.history("a.b").lastOf("d0")).toBeUndefined();
  expect(notices).toEqual([expect.stringContaining(oldest)]);
  again.prune({ perTarget: 2, maxAgeDays: 99_999 });
  expect([again.of("a.b"), again.of("a-b")].map((records) => records.map(({ digest }) => digest))).toEqual([
    ["d18", "d16"],
    ["d19", "d17"],
  ]);
  expect(readdirSync(path.join(state.path, "runs")).filter((name) => name.endsWith(".json"))).toHaveLength(4);
  again.close();
});

test("a search for a digest reads no record of another one, and believes no name of a record that it can't read", () => {
  const state = new ProjectState(makeTree());
  const store = new RunStore(state);
  for (let minute = 0; minute < 20; minute++) add(store, minute);
  const notices: string[] = [];
  const again = new RunStore(new ProjectState(state.root, { onNotice: (text) => notices.push(text) }));
  const damaged = readdirSync(path.join(state.path, "runs"))
    .filter((name) => name.endsWith(".json"))
    .sort()
    .slice(0, 3);
  for (const name of damaged) truncateSync(path.join(state.path, "runs", name), 10);
  const { lastOf } = again.history("lib");
  expect([lastOf("other")?.digest, lastOf("d5")?.digest]).toEqual([undefined, "d5"]);
  expect(notices).toEqual([]);
  expect(lastOf("d1")).toBeUndefined();
  expect(notices).toEqual([expect.stringContaining(damaged[1]!)]);
  again.close();
});

test("a record whose name has another digest than its content is none", () => {
  const state = new ProjectState(makeTree());
  const { id } = add(new RunStore(state), 1);
  const content = state.read("runs", `${id}.d1.json`)!;
  state.write("runs", `${id}.d2.json`, [content]);
  const again = new RunStore(state);
  expect([again.history("lib").lastOf("d2"), again.history("lib").lastOf("d1")?.digest]).toEqual([undefined, "d1"]);
});

test("a record of an older build, without a digest in its name, counts until it is pruned", () => {
  const state = new ProjectState(makeTree());
  const store = new RunStore(state);
  for (const minute of [1, 2]) {
    const { id } = add(store, minute);
    const content = state.read("runs", `${id}.d${minute}.json`)!;
    state.write("runs", `${id}.json`, [content]);
    state.remove("runs", [`${id}.d${minute}.json`]);
  }
  const again = new RunStore(state);
  expect(again.history("lib").lastOf("d1")?.digest).toBe("d1");
  again.prune({ perTarget: 1, maxAgeDays: 99_999 });
  // The newest record and its log.
  expect(readdirSync(path.join(state.path, "runs"))).toHaveLength(2);
});

test("a name from the far future that is nobody's record moves no clock", () => {
  const state = new ProjectState(makeTree({ ".fastloop/runs/99991231T235959.999Z-lib-aaaaaa.json": "{}" }));
  const store = new RunStore(state);
  expect(add(store, 1).id).toMatch(/^20260101T0001/);
  expect(new RunStore(state).of("lib")).toHaveLength(1);
});

test("the expected time is the median of the last passed runs", () => {
  const store = new RunStore(new ProjectState(makeTree()));
  expect(store.past.expected(["lib"])).toEqual(new Map());
  for (const [minute, durationMs] of [10, 1000, 12, 11, 13].entries()) add(store, minute, { durationMs });
  add(store, 9, { durationMs: 9, outcome: "failed" });
  add(store, 20, { durationMs: 5, target: "other" });
  expect(store.past.expected(["lib", "never"])).toEqual(new Map([["lib", 12]]));
});

test("a process that never ends keeps no more than one that does, but for a while", () => {
  const state = new ProjectState(makeTree());
  const store = new RunStore(state);
  store.retention = retentionOf();
  const now = Date.now();
  for (let count = 0; count < 250; count++) add(store, Math.floor((now - start) / 60_000) + count);
  expect(
    readdirSync(path.join(state.path, "runs")).filter((name) => name.endsWith(".json")).length,
  ).toBeLessThanOrEqual(120);
});

test("nothing is deleted before the project said what is kept", () => {
  const state = new ProjectState(makeTree());
  const store = new RunStore(state);
  for (let count = 0; count < 30; count++) add(store, count);
  store.prune();
  expect(readdirSync(path.join(state.path, "runs")).filter((name) => name.endsWith(".json"))).toHaveLength(30);
  store.retention = retentionOf({ keep: 2, maxAge: "99999999d" });
  store.prune();
  expect(readdirSync(path.join(state.path, "runs")).filter((name) => name.endsWith(".json"))).toHaveLength(2);
});

test("what a process that died has left is swept: logs without a record, half-written files", () => {
  const state = new ProjectState(makeTree());
  const store = new RunStore(state);
  const kept = add(store, 1);
  const left = [
    "20260101T000500.000Z-lib-dead00.log",
    "20260101T000500.000Z-lib-dead00.json.123.0.tmp",
    "20260101T000600.000Z-lib-dead00.json",
  ];
  for (const name of [...left, "notes.txt"]) writeFileSync(path.join(state.path, "runs", name), "half");
  const next = new RunStore(state);
  next.sweep();
  // What does not count goes once it was read.
  expect(next.of("lib").map(({ id }) => id)).toEqual([kept.id]);
  next.prune({ perTarget: 9, maxAgeDays: 99_999 });
  expect(readdirSync(path.join(state.path, "runs")).sort()).toEqual([
    `${kept.id}.d1.json`,
    `${kept.id}.log`,
    "notes.txt",
  ]);
});

test("a clock that was set back makes no old run the newest, in this process and the next", () => {
  const state = new ProjectState(makeTree());
  const store = new RunStore(state);
  add(store, 60, { digest: "before" });
  add(store, 1, { digest: "after", outcome: "failed" });
  expect(store.of("lib").map((record) => record.digest)).toEqual(["after", "before"]);
  const again = new RunStore(state);
  expect(again.history("lib").last).toMatchObject({ digest: "after" });
  add(again, 2, { digest: "latest" });
  expect(new RunStore(state).of("lib").map((record) => record.digest)).toEqual(["latest", "after", "before"]);
});

test("what fastloop.yaml says of records holds for pruning, and the defaults where it says nothing", () => {
  expect(retentionOf()).toEqual({ perTarget: 20, maxAgeDays: 30 });
  expect(retentionOf({ keep: 3 })).toEqual({ perTarget: 3, maxAgeDays: 30 });
  expect(retentionOf({ maxAge: "12h" })).toEqual({ perTarget: 20, maxAgeDays: 0.5 });
  const store = new RunStore(new ProjectState(makeTree()));
  for (let minute = 0; minute < 5; minute++) add(store, minute);
  store.retention = retentionOf({ keep: 2, maxAge: "99999999d" });
  store.prune();
  expect(store.of("lib").map((record) => record.digest)).toEqual(["d4", "d3"]);
});
