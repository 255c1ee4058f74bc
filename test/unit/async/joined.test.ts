import { getEventListeners } from "node:events";
import { setImmediate } from "node:timers/promises";
import { expect, it } from "vitest";
import { joined } from "../../../src/async/index.ts";

it("is aborted with the first of several signals, with its reason, and lets go of them", () => {
  const [one, other] = [new AbortController(), new AbortController()];
  const first = joined([one.signal, other.signal]);
  const second = joined([one.signal, other.signal]);
  second.end();
  other.abort(new Error("gone"));
  expect([first.signal.reason, second.signal.aborted]).toEqual([new Error("gone"), false]);
  expect(joined([one.signal, other.signal]).signal.aborted).toBe(true);
  first.end();
  expect(getEventListeners(one.signal, "abort")).toHaveLength(1);
});

it("has room for as many listeners as there are requests, without a warning of a leak", async () => {
  const warnings: Error[] = [];
  const keep = (warning: Error): unknown => warnings.push(warning);
  process.on("warning", keep);
  const one = new AbortController();
  const all = Array.from({ length: 20 }, () => joined([one.signal]));
  await setImmediate();
  process.off("warning", keep);
  for (const each of all) each.end();
  expect([warnings, getEventListeners(one.signal, "abort")]).toEqual([[], []]);
});
