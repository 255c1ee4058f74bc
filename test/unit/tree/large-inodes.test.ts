/** Inode numbers of 64 bits, as mergerfs and some network file systems have: Node returns them as negative. */
import { lstatSync } from "node:fs";
import path from "node:path";
import { expect, test, vi } from "vitest";
import { ProjectScanner, type ScannedInput } from "../../../src/plan/index.ts";
import { ContentHasher, ScanRecorder, type HashStore } from "../../../src/tree/index.ts";
import { makeTree } from "./fixture.ts";

// No file system here has such numbers.
vi.mock(import("node:fs"), async (original) => {
  const fs = await original();
  const large = (stats: unknown): unknown =>
    typeof (stats as { ino?: unknown } | undefined)?.ino === "bigint"
      ? Object.assign(stats as object, { ino: (stats as { ino: bigint }).ino - (1n << 63n) })
      : stats;
  const lstatLarge = ((...given: Parameters<typeof fs.lstatSync>) => large(fs.lstatSync(...given))) as typeof lstatSync;
  const statLarge = ((...given: Parameters<typeof fs.statSync>) => large(fs.statSync(...given))) as typeof fs.statSync;
  return { ...fs, lstatSync: lstatLarge, statSync: statLarge };
});

test("are recorded, and files that have them are not read again", () => {
  const root = makeTree({ "a/x": "1", ".gitignore": "*.log\n" });
  expect(lstatSync(path.join(root, "a/x"), { bigint: true }).ino).toBeLessThan(0n);
  const input: ScannedInput = { kind: "directory", path: root, filter: { leaveOut: "ignored" } };
  let stored: Buffer | undefined;
  const store: HashStore = {
    read: () => stored,
    write: (pieces) => void (stored = Buffer.concat(pieces.map((piece) => Buffer.from(piece)))),
  };
  const later = (): bigint => BigInt(Date.now() + 10_000) * 1_000_000n;
  const plan = (): { digest: string; readFiles: number } => {
    const hasher = new ContentHasher({ store, nowNs: later });
    const seen = new ScanRecorder();
    const digest = new ProjectScanner([input], hasher).scanNoting(seen).digest(input);
    seen.result();
    hasher.save();
    return { digest, readFiles: hasher.work.files };
  };
  const { digest } = plan();
  expect(plan()).toEqual({ digest, readFiles: 0 });
});
