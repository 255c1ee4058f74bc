import { expect, it } from "vitest";
import { CallEvents, StepClaims } from "../../../src/core-api/solve/events.ts";
import { SecretMask } from "../../../src/text/index.ts";
import type { EngineEvent } from "../../../src/engine/types.ts";
import type { StatusUpdate } from "../../../src/buildkit/types.ts";

function recorder(secrets: string[] = []): { events: EngineEvent[]; call: CallEvents } {
  const events: EngineEvent[] = [];
  const mask = new SecretMask(secrets);
  return { events, call: new CallEvents({ emit: (event) => events.push(event), mask }, "call-1") };
}

const vertex = (fields: Partial<StatusUpdate["vertexes"][number]>): StatusUpdate => ({
  vertexes: [{ digest: "v", name: "exec true", cached: false, ...fields }],
  logs: [],
});
const log = (text: string): StatusUpdate => ({
  vertexes: [],
  logs: [{ vertex: "v", stream: "stdout", data: Buffer.from(text) }],
});

it("tells start, output and end of a step, with the call that asked", () => {
  const { events, call } = recorder();
  const listen = call.solveListener();
  for (const update of [vertex({ startedMs: 1000 }), log("out"), vertex({ startedMs: 1000, completedMs: 1250 })])
    listen(update);
  expect(events).toEqual([
    { kind: "step-started", callId: "call-1", step: "v", name: "exec true" },
    { kind: "log", callId: "call-1", step: "v", stream: "stdout", text: "out" },
    { kind: "step-done", callId: "call-1", step: "v", name: "exec true", cached: false, durationMs: 250 },
  ]);
});

it("tells a step once though two solves of the request share it", () => {
  const { events, call } = recorder();
  const [first, second] = [call.solveListener(), call.solveListener()];
  for (const update of [vertex({ startedMs: 1 }), log("out"), vertex({ startedMs: 1, completedMs: 2 })]) {
    first(update);
    second(update);
  }
  expect(events.map(({ kind }) => kind)).toEqual(["step-started", "log", "step-done"]);
});

it("hides plumbing", () => {
  const { events, call } = recorder();
  call.solveListener()(vertex({ name: "[internal] exec records", startedMs: 1, completedMs: 2 }));
  expect(events).toEqual([]);
});

it("masks a secret that was set after the step had begun to print", () => {
  const events: EngineEvent[] = [];
  const mask = new SecretMask(["first-1"]);
  const call = new CallEvents({ emit: (event) => events.push(event), mask }, "call-1");
  const listen = call.solveListener();
  for (const update of [vertex({ startedMs: 1 }), log("ready ")]) listen(update);
  mask.add("hunter2");
  for (const update of [log("hun"), log("ter2 ")]) listen(update);
  const text = events.map((event) => (event.kind === "log" ? event.text : "")).join("");
  expect([text, call.outputOf("v").stdout]).toEqual(["ready *** ", "ready *** "]);
});

it("masks secrets in logs wherever they are cut", () => {
  const { events, call } = recorder(["hunter2"]);
  const listen = call.solveListener();
  for (const update of [
    vertex({ startedMs: 1 }),
    log("a hun"),
    log("ter2 b"),
    vertex({ startedMs: 1, completedMs: 2, error: "it failed" }),
  ])
    listen(update);
  const text = events
    .map((event) => (event.kind === "log" ? event.text : event.kind === "step-done" ? event.error : ""))
    .join("");
  expect(text).toBe("a *** bit failed");
});

it("joins characters that are cut between two pieces of a log", () => {
  const { events, call } = recorder();
  const listen = call.solveListener();
  const bytes = Buffer.from("ä");
  listen(vertex({ startedMs: 1 }));
  for (const data of [bytes.subarray(0, 1), bytes.subarray(1)])
    listen({ vertexes: [], logs: [{ vertex: "v", stream: "stdout", data }] });
  expect(events.filter((event) => event.kind === "log").map(({ text }) => text)).toEqual(["ä"]);
});

it("keeps the end of a long output for the error", () => {
  const { call } = recorder();
  const listen = call.solveListener();
  listen(vertex({ startedMs: 1 }));
  listen(log("x".repeat(150_000)));
  listen(log("the end"));
  const { stdout } = call.outputOf("v");
  expect(stdout.startsWith("[omitting 47607 bytes]...")).toBe(true);
  expect(stdout.endsWith("the end")).toBe(true);
});

it("calls a result that the session holds cached", () => {
  const { events, call } = recorder();
  call.reused([{ digest: "v", name: "exec true" }]);
  expect(events.at(-1)).toMatchObject({ kind: "step-done", cached: true });
});

it.each([
  ["before its step is done and after", [log("a hun"), vertex({ startedMs: 1, completedMs: 2 }), log("ter2 b")]],
  ["both after its step is done", [vertex({ startedMs: 1, completedMs: 2 }), log("a hun"), log("ter2 b")]],
])("masks a secret whose pieces come %s", (_when, updates) => {
  const { events, call } = recorder(["hunter2"]);
  const listen = call.solveListener();
  listen(vertex({ startedMs: 1 }));
  for (const update of updates) listen(update);
  call.end();
  expect(events.map((event) => (event.kind === "log" ? event.text : "")).join("")).toBe("a *** b");
});

it("tells what only looked like the beginning of a secret, at the end of the request, and nothing after it", () => {
  const { events, call } = recorder(["hunter2"]);
  const listen = call.solveListener();
  for (const update of [vertex({ startedMs: 1 }), log("a hun"), vertex({ startedMs: 1, completedMs: 2 })])
    listen(update);
  const texts = (): string => events.map((event) => (event.kind === "log" ? event.text : "")).join("");
  expect(texts()).toBe("a ");
  // More may come while an error is made.
  expect(call.outputOf("v").stdout).toBe("a ");
  call.end();
  expect(texts()).toBe("a hun");
  listen(log("ter2"));
  expect(texts()).toBe("a hun");
});

it("tells a step once though two requests of one call ask for parts of its result, and each keeps what was printed", () => {
  const events: EngineEvent[] = [];
  const stepClaims = new StepClaims();
  const request = (callId: string | undefined): CallEvents =>
    new CallEvents({ emit: (event) => events.push(event), mask: new SecretMask() }, callId, stepClaims);
  const [stdout, stderr, other, plain] = [request("call-1"), request("call-1"), request("call-2"), request(undefined)];
  const updates = [vertex({ startedMs: 1 }), log("out"), vertex({ startedMs: 1, completedMs: 2 })];
  const listeners = [stdout, stderr, other, plain].map((each) => each.solveListener());
  for (const update of updates) for (const listen of listeners) listen(update);
  for (const each of [stdout, stderr]) each.end();
  request("call-1").reused([{ digest: "v", name: "exec true" }]);
  expect(
    events.filter(({ kind }) => kind === "log").map((event) => ("callId" in event ? event.callId : undefined)),
  ).toEqual(["call-1", "call-2", undefined]);
  expect(events.filter(({ kind }) => kind === "step-done")).toHaveLength(3);
  expect([stdout, stderr].map((each) => each.outputOf("v").stdout)).toEqual(["out", "out"]);
});

it("goes on telling of a step in the other request where the one that told of it has ended", () => {
  const events: EngineEvent[] = [];
  const stepClaims = new StepClaims();
  const request = (): CallEvents =>
    new CallEvents({ emit: (event) => events.push(event), mask: new SecretMask() }, "call-1", stepClaims);
  const [first, second] = [request(), request()];
  const [listenFirst, listenSecond] = [first.solveListener(), second.solveListener()];
  for (const update of [vertex({ startedMs: 1 }), log("one ")])
    for (const listen of [listenFirst, listenSecond]) listen(update);
  first.end();
  for (const update of [log("two"), vertex({ startedMs: 1, completedMs: 2 })]) listenSecond(update);
  expect(events.map((event) => (event.kind === "log" ? event.text : event.kind))).toEqual([
    "step-started",
    "one ",
    "two",
    "step-done",
  ]);
});
