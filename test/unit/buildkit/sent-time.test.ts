import { describe, expect, test } from "vitest";
import { sentTimeNs } from "../../../src/buildkit/fsutil/sender.ts";
import type { TreeEntry } from "../../../src/tree/types.ts";

const entry = (mtimeNs: bigint, ctimeNs: bigint, inode = 7n): TreeEntry =>
  ({ path: "a", type: "file", mode: 0o644, sizeBytes: 4, mtimeNs, ctimeNs, inode }) as TreeEntry;
const time = 1_700_000_000_123_456_789n;

describe("the time that a file is sent with", () => {
  test("is its own, where nothing was done to it since", () => {
    expect(sentTimeNs(entry(time, time))).toBe(time);
    expect(sentTimeNs({ ...entry(time, time + 1n), type: "directory" })).toBe(time);
  });

  test("is another after each change that kept the time, in the same millisecond", () => {
    const ticks = Array.from({ length: 2000 }, (_, index) =>
      sentTimeNs(entry(time, time + BigInt(index) * 4_000_000n)),
    );
    expect(new Set(ticks).size).toBeGreaterThan(1990);
    for (const sent of ticks) expect(sent / 1_000_000n).toBe(time / 1_000_000n);
    expect(sentTimeNs(entry(time, time + 5n, 8n))).not.toBe(sentTimeNs(entry(time, time + 5n, 9n)));
    expect(sentTimeNs(entry(time, time + 5n))).toBe(sentTimeNs(entry(time, time + 5n)));
  });

  test("is in 1970 for what is older, and still another", () => {
    const [one, two] = [sentTimeNs(entry(-5n * 10n ** 9n, time)), sentTimeNs(entry(-5n * 10n ** 9n, time + 1n))];
    expect(one).not.toBe(two);
    for (const sent of [one, two]) expect(sent >= 0n && sent < 1_000_000n).toBe(true);
  });
});
