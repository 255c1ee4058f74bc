import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { durationMs, cacheLifetimeMs } from "../../../src/cli/call/cache-lifetime.ts";
import { parseCall } from "../../../src/call/index.ts";
import { diskBackend } from "../../../src/extensions/index.ts";
import { ResultCache } from "../../../src/cli/call/result-cache.ts";
import { loadModule, type ModuleInfo } from "../../../src/module/index.ts";
import { useBuiltPrograms } from "../module/built.ts";
import { ProjectState } from "../../../src/state/index.ts";

const k = "a".repeat(64);

let module: ModuleInfo;
let folder: string;

beforeAll(async () => {
  await useBuiltPrograms();
  module = await loadModule(path.resolve(import.meta.dirname, "../../fixtures/modules/everything"));
}, 60_000);
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "fastloop-key-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const words = (line: string): string[] => line.split(" ");
describe("a result is kept", () => {
  const keep = (line: string): number | undefined => cacheLifetimeMs(parseCall(words(line), { module, cwd: folder }));
  const weekMs = 7 * 24 * 3_600_000;

  it.each([
    ["greet --greeting hi", weekMs],
    ["inferred --image x stdout", weekMs],
    ["inferred --image x file --path /a contents", weekMs],
    ["shout-it stdout", 3_600_000],
    ["join", undefined],
    ["greet --greeting hi --no-cache", undefined],
    ["greet --greeting hi -o file", undefined],
    ["inferred --image x publish --address r/y", undefined],
    ["inferred --image x export --path y", undefined],
    ["inferred --image x directory --path /a export --path y", undefined],
    ["inferred --image x sync", undefined],
    ["inferred --image x terminal", undefined],
    ["inferred --image x as-service up", undefined],
    ["secretly --token env://T", weekMs],
    ["secretly --token cmd://date", undefined],
    ["secretly --token T --db tcp://db:1", undefined],
    ["shout-it --site https://h.example/r.git", undefined],
  ])("%s: %s ms", (line, expected) => {
    expect(keep(line)).toBe(expected);
  });

  it("for as long as its policy says, and never by a clock that was set back", async () => {
    const cache = new ResultCache(diskBackend(new ProjectState(folder)));
    await cache.write(k, { startedAtMs: 1000, keepMs: 500, value: "v" });
    expect(await cache.read(k, 1499)).toEqual({ value: "v", ageMs: 499 });
    expect(await cache.read(k, 1500)).toBeUndefined();
    expect(await cache.read(k, 999)).toBeUndefined();
    expect(await cache.read("b".repeat(64), 1000)).toBeUndefined();
  });

  it("unless its file is damaged", async () => {
    const cache = new ResultCache(diskBackend(new ProjectState(folder)));
    await cache.write(k, { startedAtMs: 1000, keepMs: 500, value: "v" });
    writeFileSync(path.join(folder, `.fastloop/calls/${k}.json`), '{"version":1,"startedAtMs":1000');
    expect(await cache.read(k, 1001)).toBeUndefined();
  });
});

it("reads Go durations", () => {
  expect(["1h", "90m", "1h30m", "24h0m5s", "500ms"].map(durationMs)).toEqual([
    3_600_000, 5_400_000, 5_400_000, 86_405_000, 500,
  ]);
  expect(["never", "session", "", "1x", "h"].map(durationMs)).toEqual(Array<undefined>(5).fill(undefined));
});
