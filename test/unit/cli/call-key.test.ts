import { mkdirSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { callKey, durationMs, keepMs } from "../../../src/cli/call/call-key.ts";
import { parseCall } from "../../../src/call/index.ts";
import { ResultCache } from "../../../src/cli/call/result-cache.ts";
import { loadModule, type ModuleInfo } from "../../../src/module/index.ts";
import { ContentHasher } from "../../../src/tree/index.ts";
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
const key = (
  line: string,
  env: NodeJS.ProcessEnv = {},
  changes: { module?: ModuleInfo; engine?: string; secretKey?: string } = {},
): Promise<string> =>
  callKey(parseCall(words(line), { module, cwd: folder }), {
    module: changes.module ?? module,
    hasher: new ContentHasher(),
    ahead: undefined,
    secretKey: Buffer.from(changes.secretKey ?? "key"),
    engine: changes.engine ?? "embedded",
    env,
    cwd: folder,
  });

describe("the key of a call", () => {
  it("is that of what the words mean, not of how they are written", async () => {
    expect(await key("greet --greeting=hi --times 2")).toBe(await key("greet --times=2 --greeting hi"));
    expect(await key("join --words a,b")).toBe(await key("join --words a --words b"));
  });

  it("moves with the arguments, the function, the chain, the module's code and the engine", async () => {
    const keys = await Promise.all([
      key("greet --greeting hi"),
      key("greet --greeting ho"),
      key("--who ada greet --greeting hi"),
      key("inferred --image hi"),
      key("inferred --image hi stdout"),
      key("inferred --image hi stderr"),
      key("inferred --image hi file --path /a contents"),
      key("inferred --image hi file --path /b contents"),
      key("greet --greeting hi", {}, { engine: "dagger" }),
      key("greet --greeting hi", {}, { module: { ...module, digest: "other" } }),
    ]);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it("moves with the content of a given directory, not with its place, its times or what is ignored", async () => {
    const site = path.join(folder, "site");
    mkdirSync(site);
    writeFileSync(path.join(site, "a.txt"), "a");
    const before = await key("shout-it --site site");
    utimesSync(path.join(site, "a.txt"), 1, 1);
    writeFileSync(path.join(site, "noise.log"), "ignored by the signature");
    expect(await key("shout-it --site site")).toBe(before);
    renameSync(site, path.join(folder, "moved"));
    expect(await key("shout-it --site moved")).toBe(before);
    writeFileSync(path.join(folder, "moved/a.txt"), "b");
    expect(await key("shout-it --site moved")).not.toBe(before);
  });

  it("moves with a secret's value, which cannot be guessed from it", async () => {
    const before = await key("secretly --token env://T", { T: "one" });
    expect(await key("secretly --token env://T", { T: "two" })).not.toBe(before);
    expect(await key("secretly --token env://T", { T: "one" }, { secretKey: "another project's" })).not.toBe(before);
    expect(await key("secretly --token env://T", { T: "one" })).toBe(before);
  });
});

describe("a result is kept", () => {
  const keep = (line: string): number | undefined => keepMs(parseCall(words(line), { module, cwd: folder }));
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

  it("for as long as its policy says, and never by a clock that was set back", () => {
    const cache = new ResultCache(new ProjectState(folder));
    cache.write(k, { startedAtMs: 1000, keepMs: 500, value: "v" });
    expect(cache.read(k, 1499)).toEqual({ value: "v", ageMs: 499 });
    expect(cache.read(k, 1500)).toBeUndefined();
    expect(cache.read(k, 999)).toBeUndefined();
    expect(cache.read("b".repeat(64), 1000)).toBeUndefined();
  });

  it("unless its file is damaged", () => {
    const cache = new ResultCache(new ProjectState(folder));
    cache.write(k, { startedAtMs: 1000, keepMs: 500, value: "v" });
    writeFileSync(path.join(folder, `.fastloop/calls/${k}.json`), '{"version":1,"startedAtMs":1000');
    expect(cache.read(k, 1001)).toBeUndefined();
  });
});

it("reads Go durations", () => {
  expect(["1h", "90m", "1h30m", "24h0m5s", "500ms"].map(durationMs)).toEqual([
    3_600_000, 5_400_000, 5_400_000, 86_405_000, 500,
  ]);
  expect(["never", "session", "", "1x", "h"].map(durationMs)).toEqual(Array<undefined>(5).fill(undefined));
});
