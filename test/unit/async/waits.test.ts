import { getEventListeners } from "node:events";
import process from "node:process";
import { expect, test } from "vitest";
import { aborted, orAborted, withinMs } from "../../../src/async/index.ts";

const never = new Promise<never>(() => undefined);
const broken = (): Promise<never> => Promise.reject(new Error("broken"));
const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;

test("a wait ends with the promise or the time, whichever is first, and leaves no timer", async () => {
  await withinMs(never, 5);
  const before = timers();
  await withinMs(Promise.resolve(), 60_000);
  await expect(withinMs(broken(), 60_000)).rejects.toThrow("broken");
  expect(timers()).toBe(before);
});

test("a wait ends with the promise or the signal, and leaves no listener", async () => {
  const controller = new AbortController();
  const { signal } = controller;
  expect(await orAborted(Promise.resolve(1), signal)).toBe(1);
  await expect(orAborted(broken(), signal)).rejects.toThrow("broken");
  expect(getEventListeners(signal, "abort")).toHaveLength(0);
  const waiting = orAborted(never, signal);
  controller.abort(new Error("stopped"));
  await expect(waiting).rejects.toThrow("stopped");
  await expect(orAborted(broken(), signal)).rejects.toThrow("stopped");
  await aborted(signal);
});
