import { expect, it } from "vitest";
import { Allocation, guardedBackend, withinComputeTime } from "../../../src/extensions/index.ts";

const forever = (): never => {
  for (;;);
};

it("gives what a function gives, now or later, and what it throws", async () => {
  expect(withinComputeTime(() => withinComputeTime(() => 1) + 1)).toBe(2);
  expect(await withinComputeTime(async () => Promise.resolve("later"))).toBe("later");
  expect(() => withinComputeTime(() => JSON.parse("{") as unknown)).toThrow(SyntaxError);
});

it("ends a function that computes for ever, and what it called", () => {
  expect(() => withinComputeTime(forever, 50)).toThrow("it computed for 0.05 s");
  expect(() => withinComputeTime(() => [1].map(forever), 50)).toThrow("it computed for 0.05 s");
  expect(withinComputeTime(() => 1)).toBe(1);
});

it("a cache and a monitor that compute for ever are not asked again", async () => {
  const notices: string[] = [];
  const state = { notice: (text: string) => notices.push(text), hashKey: Buffer.alloc(32) };
  const cache = guardedBackend({ name: "mine", get: forever, put: forever }, state as never);
  expect(await cache.get("a".repeat(64))).toBeUndefined();
  const allocation = new Allocation((text) => notices.push(text));
  allocation.use({ name: "loop", currentUsage: forever, canAllocate: forever });
  const none = { containers: 0, memoryBytes: 0, cpus: 0 };
  const request = { uses: none, limits: none, signal: new AbortController().signal, onWait: () => undefined };
  await allocation.allocate(request);
  await allocation.allocate(request);
  expect(notices).toEqual([
    expect.stringMatching(/^the cache "mine" is not used any more: .*computed for/),
    expect.stringMatching(/^the resource monitor "loop" is not used any more: it failed \(it computed for/),
  ]);
}, 40_000);
