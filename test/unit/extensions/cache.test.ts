import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { guardedBackend, type CacheBackend } from "../../../src/extensions/index.ts";
import { memoryBackend } from "../../../src/extensions/memory.ts";
import { ProjectState } from "../../../src/state/index.ts";

const key = (digit: string): string => digit.repeat(64);
const bytes = (text: string): Uint8Array => Buffer.from(text);

describe("results in memory", () => {
  it("go by bytes, the least recently used first", async () => {
    const cache = memoryBackend(3 * (64 + 10));
    for (const digit of ["a", "b", "c"]) await cache.put(key(digit), bytes("0123456789"), { keepMs: 60_000 });
    // Read: it is newer than b now.
    expect(await cache.get(key("a"))).toEqual(bytes("0123456789"));
    await cache.put(key("d"), bytes("0123456789"), { keepMs: 60_000 });
    expect(await cache.get(key("b"))).toBeUndefined();
    expect(await cache.get(key("a"))).toBeDefined();
    // One that is larger than all that may be kept is not kept.
    await cache.put(key("e"), new Uint8Array(1000), { keepMs: 60_000 });
    expect(await cache.get(key("e"))).toBeUndefined();
    expect(await cache.get(key("d"))).toBeDefined();
  });
});

describe("a backend of the project's", () => {
  let folder = "";
  let notices: string[] = [];
  let state: ProjectState;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "fastloop-backend-"));
    notices = [];
    state = new ProjectState(folder, { onNotice: (text) => notices.push(text) });
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const stored = new Map<string, Uint8Array>();
  const backend = (over: Partial<CacheBackend> = {}): CacheBackend =>
    guardedBackend(
      { name: "mine", get: (name) => stored.get(name), put: (name, value) => void stored.set(name, value), ...over },
      state,
    );

  it("gives back what was put, and nothing that was not", async () => {
    const cache = backend();
    await cache.put(key("a"), bytes('{"value":1}'), { keepMs: 1000 });
    expect(await cache.get(key("a"))).toEqual(Buffer.from('{"value":1}'));
    expect(await cache.get(key("b"))).toBeUndefined();
    expect(notices).toEqual([]);
  });

  it("can't forge a result, nor give one for another, nor one of another project", async () => {
    const cache = backend();
    await cache.put(key("a"), bytes('{"value":1}'), { keepMs: 1000 });
    const sealed = stored.get(key("a"))!;
    stored.set(key("b"), sealed);
    stored.set(key("c"), bytes('{"value":2}'));
    expect(await cache.get(key("b"))).toBeUndefined();
    expect(await cache.get(key("c"))).toBeUndefined();
    stored.set(key("a"), Buffer.from(Buffer.from(sealed).toString().replace("1", "2")));
    expect(await cache.get(key("a"))).toBeUndefined();
    const other = mkdtempSync(path.join(tmpdir(), "fastloop-backend-"));
    stored.set(key("a"), sealed);
    const elsewhere = guardedBackend(
      { name: "mine", get: (name) => stored.get(name), put: () => undefined },
      new ProjectState(other),
    );
    expect(await elsewhere.get(key("a"))).toBeUndefined();
    rmSync(other, { recursive: true });
  });

  it.each<[string, Partial<CacheBackend>, RegExp]>([
    [
      "throws",
      {
        get: () => {
          throw new Error("no server");
        },
      },
      /get\(\) failed \(no server\)/,
    ],
    ["rejects", { get: () => Promise.reject(new Error("no route")) }, /get\(\) failed \(no route\)/],
    ["gives a text", { get: () => "text" as never }, /get\(\) failed \(it gave no Uint8Array\)/],
    ["never answers", { get: () => new Promise<never>(() => undefined) }, /get\(\) failed \(.*time/i],
  ])("that %s costs one notice, and is not asked again", async (_what, over, told) => {
    let asked = 0;
    const cache = backend({ ...over, put: () => void asked++ });
    expect(await cache.get(key("a"))).toBeUndefined();
    expect(await cache.get(key("a"))).toBeUndefined();
    await cache.put(key("a"), bytes("{}"), { keepMs: 1 });
    expect(asked).toBe(0);
    expect(notices).toEqual([expect.stringMatching(told)]);
    expect(notices[0]).toContain('the cache "mine" is not used any more');
  });
});
