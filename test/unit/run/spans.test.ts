import { expect, test } from "vitest";
import { SpanRecorder, SpanStore } from "../../../src/run/index.ts";
import { ProjectState } from "../../../src/state/index.ts";
import { makeTree } from "../tree/fixture.ts";

function recorder(): { spans: SpanRecorder; at(ms: number): SpanRecorder } {
  let now = 0;
  const spans = new SpanRecorder(() => now);
  return {
    spans,
    at(ms) {
      now = ms;
      return spans;
    },
  };
}

test("an operation is a span from its beginning, with what came of it", () => {
  const { spans, at } = recorder();
  at(10).note({ kind: "step-started", step: "a", name: "exec a" });
  at(20).note({ kind: "step-started", step: "b", name: "exec b" });
  at(50).note({ kind: "step-done", step: "b", name: "exec b", cached: false, durationMs: 30, error: "exit 1" });
  at(60).note({ kind: "step-done", step: "a", name: "exec a", cached: true, durationMs: 0 });
  expect(spans.all).toEqual([
    { name: "exec a", startMs: 10, durationMs: 0, cached: true },
    { name: "exec b", startMs: 20, durationMs: 30, cached: false, error: "exit 1" },
  ]);
});

test("an engine that only tells the end is believed", () => {
  const { spans, at } = recorder();
  at(100).note({ kind: "step-done", step: "a", name: "a", cached: false, durationMs: 40 });
  expect(spans.all).toEqual([{ name: "a", startMs: 60, durationMs: 40, cached: false }]);
});

test("an operation that was cut off stays, one that is told twice is one", () => {
  const { spans, at } = recorder();
  at(5).note({ kind: "step-started", step: "a", name: "a" });
  at(6).note({ kind: "step-started", step: "a", name: "a" });
  expect(spans.all).toEqual([{ name: "a", startMs: 5, durationMs: 0, cached: false }]);
});

test("spans are kept by run, and removed with it", () => {
  const state = new ProjectState(makeTree());
  const spans = [{ name: "a", startMs: 1, durationMs: 2, cached: false }];
  const id = "20260101T000000.000Z-test-abcdef";
  new SpanStore(state).write(id, spans);
  expect(new SpanStore(state).read(id)).toEqual(spans);
  new SpanStore(state).remove([id]);
  expect(new SpanStore(state).read(id)).toEqual([]);
});

test("an operation goes on until it is told that it has ended, however long its name", () => {
  const { spans } = recorder();
  const name = "exec ".repeat(1_000);
  spans.note({ kind: "step-started", step: "a", name });
  spans.note({ kind: "step-started", step: "b", name });
  spans.note({ kind: "step-done", step: "a", name, cached: false, durationMs: 5 });
  spans.note({ kind: "step-done", step: "never begun", name, cached: true, durationMs: 0 });
  expect(spans.all.map((span) => spans.isOpen(span))).toEqual([false, true, false]);
});
