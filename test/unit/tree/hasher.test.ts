import { appendFileSync, chmodSync, mkdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import {
  ContentHasher,
  contentDigest,
  diffListings,
  listTree,
  treeStatDigest,
  type HashStore,
} from "../../../src/tree/index.ts";
import { makeTree, seeded } from "./fixture.ts";

/** A clock an hour ahead of the files: nothing that was written so far is racy. */
const later = (): bigint => BigInt(Date.now() + 3_600_000) * 1_000_000n;

/** Keeps hashes in memory, copied as a file would be. */
function kept(): HashStore {
  let content: Buffer | undefined;
  return { read: () => content && Buffer.from(content), write: (pieces) => void (content = Buffer.concat(pieces)) };
}

test("a file is read once as long as its lstat identity stays", () => {
  const root = makeTree({ a: "1", b: "2" });
  const hasher = new ContentHasher({ nowNs: later });
  const first = contentDigest(listTree(root), hasher);
  expect(contentDigest(listTree(root), hasher)).toBe(first);
  expect(hasher.work.files).toBe(2);
});

test("a rewrite of the same size with the old times put back is still seen", () => {
  const root = makeTree({ a: "before" });
  const file = path.join(root, "a");
  const hasher = new ContentHasher({ nowNs: later });
  const first = contentDigest(listTree(root), hasher);
  const { atime, mtime } = statSync(file);
  writeFileSync(file, "behind");
  utimesSync(file, atime, mtime);
  expect(contentDigest(listTree(root), hasher)).not.toBe(first);
});

test("a file touched within the clock's tick before it was read is read again", () => {
  const root = makeTree({ a: "1" });
  const [entry] = listTree(root).entries;
  const hasher = new ContentHasher({ nowNs: () => entry!.ctimeNs + 5_000_000n });
  hasher.hash(root, entry!);
  hasher.hash(root, entry!);
  expect(hasher.work.files).toBe(2);
});

test("times in the future are never trusted", () => {
  const root = makeTree({ a: "1" });
  const [entry] = listTree(root).entries;
  const hasher = new ContentHasher({ nowNs: later });
  const future = { ...entry!, mtimeNs: later() * 2n };
  hasher.hash(root, future);
  hasher.hash(root, future);
  expect(hasher.work.files).toBe(2);
});

test("hashes outlive the process, and what is damaged is hashed anew", () => {
  const root = makeTree({ a: "1" });
  const store = kept();
  const writer = new ContentHasher({ store, nowNs: later });
  const digest = contentDigest(listTree(root), writer);
  writer.save();

  const reader = new ContentHasher({ store, nowNs: later });
  expect(contentDigest(listTree(root), reader)).toBe(digest);
  expect(reader.work.files).toBe(0);

  const good = store.read()!;
  const damages = [
    good.subarray(0, -1),
    Buffer.concat([good, good]),
    good.subarray(0, 10),
    Buffer.alloc(0),
    Buffer.from(good.toString("latin1").replace('"files":1', '"files":-1'), "latin1"),
  ];
  for (const damaged of damages) {
    store.write([damaged]);
    const recovered = new ContentHasher({ store, nowNs: later });
    expect(contentDigest(listTree(root), recovered)).toBe(digest);
    expect(recovered.work.files).toBe(1);
  }
});

test("what is stored stays true over edits, new files and old ones, whatever they are called", () => {
  const names = ["b", "a/x", "a b", "a", "ünïcode", "z/\u{1F600}"];
  for (let seed = 1; seed <= 30; seed++) {
    const random = seeded(seed);
    const root = makeTree({ keep: "1" });
    const store = kept();
    for (let round = 0; round < 6; round++) {
      const name = names[random(names.length)]!;
      rmSync(path.join(root, name.split("/")[0]!), { recursive: true, force: true });
      mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
      if (random(4) > 0) writeFileSync(path.join(root, name), `${seed} ${round}`);
      const hasher = new ContentHasher({ store, nowNs: later });
      const listing = listTree(root);
      expect(contentDigest(listing, hasher), `seed ${seed} round ${round}`).toBe(
        contentDigest(listing, new ContentHasher()),
      );
      expect(hasher.work.files).toBeLessThanOrEqual(round === 0 ? 2 : 1);
      hasher.save();
    }
  }
});

test("an entry of an earlier scan keeps the hash of what was read then, also where it came from the cache", () => {
  const root = makeTree({ a: "1" });
  const store = kept();
  const writer = new ContentHasher({ store, nowNs: later });
  const hashes = [writer.hash(root, listTree(root).entries[0]!)];
  writer.save();
  const hasher = new ContentHasher({ store, nowNs: later });
  const entries = [listTree(root).entries[0]!];
  for (const content of ["22", "333"]) {
    writeFileSync(path.join(root, "a"), content);
    entries.push(listTree(root).entries[0]!);
    hashes.push(hasher.hash(root, entries.at(-1)!));
  }
  expect(new Set(hashes).size).toBe(3);
  expect(entries.map((entry) => hasher.hash(root, entry))).toEqual(hashes);
  expect(entries.map((entry) => hasher.earlierHash(root, entry))).toEqual(hashes);
  expect(hasher.work.files).toBe(2);
});

test("a file that is gone is forgotten when the cache is written, one that is only not asked for is not", () => {
  const root = makeTree({ asked: "1", "d/kept": "2", "d/gone": "3" });
  const store = kept();
  const all = new ContentHasher({ store, nowNs: later });
  contentDigest(listTree(root), all);
  all.save();
  rmSync(path.join(root, "d/gone"));
  writeFileSync(path.join(root, "asked"), "changed");
  const some = new ContentHasher({ store, nowNs: later });
  some.hash(
    root,
    listTree(root).entries.find((entry) => entry.path === "asked")!,
  );
  some.save();
  const stored = store.read()!.toString("latin1");
  expect(stored).not.toContain("d/gone");
  const last = new ContentHasher({ store, nowNs: later });
  contentDigest(listTree(root), last);
  expect(last.work.files).toBe(0);
});

test("a folder below a known root is remembered with that root's files, and not stored twice", () => {
  const root = makeTree({ a: "1", "d/e/b": "2", de: "3" });
  const store = kept();
  const inner = new ContentHasher({ store, nowNs: later });
  contentDigest(listTree(path.join(root, "d")), inner);
  inner.save();
  const both = new ContentHasher({ store, nowNs: later });
  contentDigest(listTree(root), both);
  contentDigest(listTree(path.join(root, "d/e")), both);
  expect(both.work.files).toBe(3);
  both.save();
  expect(
    store
      .read()!
      .toString("latin1")
      .match(/"root"/g),
  ).toHaveLength(1);
  const again = new ContentHasher({ store, nowNs: later });
  expect(contentDigest(listTree(path.join(root, "d/e")), again)).toBe(
    contentDigest(listTree(path.join(root, "d/e")), new ContentHasher()),
  );
  expect(again.work.files).toBe(0);
});

test("a large file hashes as its content, whatever way it is read", () => {
  const root = makeTree({ small: "x", large: "x".repeat(5 * 1024 * 1024) });
  const hasher = new ContentHasher();
  const before = contentDigest(listTree(root), hasher);
  appendFileSync(path.join(root, "large"), "y");
  expect(contentDigest(listTree(root), hasher)).not.toBe(before);
});

test("the content digest sees names, modes, links and empty folders, and no times, owners or inodes", () => {
  const hasher = new ContentHasher();
  const digest = (files: Parameters<typeof makeTree>[0]): string => contentDigest(listTree(makeTree(files)), hasher);
  const plain = digest({ a: "1", d: null });
  expect(digest({ a: "1", d: null })).toBe(plain);
  expect(digest({ b: "1", d: null })).not.toBe(plain);
  expect(digest({ a: "1" })).not.toBe(plain);
  expect(digest({ a: { link: "1" }, d: null })).not.toBe(plain);
  const executable = makeTree({ a: "1", d: null });
  chmodSync(path.join(executable, "a"), 0o755);
  expect(contentDigest(listTree(executable), hasher)).not.toBe(plain);
});

test("the stat digest changes with a touch, the content digest does not", () => {
  const root = makeTree({ a: "1" });
  const hasher = new ContentHasher();
  const before = { stat: treeStatDigest(listTree(root)), content: contentDigest(listTree(root), hasher) };
  writeFileSync(path.join(root, "b"), "1");
  renameSync(path.join(root, "b"), path.join(root, "a"));
  expect(treeStatDigest(listTree(root))).not.toBe(before.stat);
  expect(contentDigest(listTree(root), hasher)).toBe(before.content);
});

test("a difference names what came, went and changed; a touched file only when its bytes moved", () => {
  const root = makeTree({ same: "1", edited: "1", gone: "1", mode: "1", "d/x": "1" });
  const hasher = new ContentHasher({ nowNs: later });
  const before = listTree(root);
  const hashes = new Map(before.entries.filter((e) => e.type === "file").map((e) => [e.path, hasher.hash(root, e)]));
  writeFileSync(path.join(root, "same"), "1");
  writeFileSync(path.join(root, "edited"), "2");
  chmodSync(path.join(root, "mode"), 0o700);
  renameSync(path.join(root, "gone"), path.join(root, "new"));
  const changes = diffListings(before, listTree(root), (old, now) => hashes.get(old.path) === hasher.hash(root, now));
  expect(changes.changed.map((change) => change.after.path)).toEqual(["edited", "mode"]);
  expect(changes.added.map((entry) => entry.path)).toEqual(["new"]);
  expect(changes.removed.map((entry) => entry.path)).toEqual(["gone"]);
});
