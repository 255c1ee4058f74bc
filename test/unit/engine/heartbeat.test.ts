import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { watchDaemon } from "../../../src/engine/embedded/heartbeat.ts";

const state = mkdtempSync(path.join(tmpdir(), "fastloop-heartbeat-"));

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setImmediate", "performance"] }));
afterEach(() => {
  vi.useRealTimers();
  rmSync(state, { recursive: true, force: true });
});

it("tells once of a daemon whose signs of life stop, and when they come again", async () => {
  const told: string[] = [];
  const heartbeat = watchDaemon(state, (text) => told.push(text));
  await vi.advanceTimersByTimeAsync(60_000);
  expect(told, "of a daemon that never gave any").toEqual([]);
  for (let beat = 0; beat < 10; beat++) {
    heartbeat.received();
    await vi.advanceTimersByTimeAsync(1000);
  }
  expect(told).toEqual([]);
  await vi.advanceTimersByTimeAsync(1100);
  expect(told).toEqual([expect.stringContaining("does not answer")]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(told).toHaveLength(1);
  heartbeat.received();
  expect(told.slice(1)).toEqual(["the engine daemon answers again"]);
  heartbeat.end();
  heartbeat.received();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(told).toHaveLength(2);
});
