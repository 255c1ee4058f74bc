import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { isMainThread } from "node:worker_threads";
import { expect, test } from "vitest";
import { ProjectScanner, type ScannedInput } from "../../../src/plan/index.ts";
import { ContentHasher } from "../../../src/tree/index.ts";
import { makeTree, withLockedFolder } from "../tree/fixture.ts";

/** A clock an hour ahead of the files: nothing that was written so far is racy. */
const later = (): bigint => BigInt(Date.now() + 3_600_000) * 1_000_000n;

const folder = (...at: string[]): ScannedInput => ({ kind: "directory", path: path.join(...at), filter: {} });
const file = (...at: string[]): ScannedInput => ({ kind: "file", path: path.join(...at), filter: {} });
const presence = (...at: string[]): ScannedInput => ({ ...file(...at), presence: true });

const scannerOf = (inputs: ScannedInput[], carried?: ScannedInput[]): ProjectScanner =>
  new ProjectScanner(inputs, new ContentHasher({ nowNs: later }), carried);

/** Creates a file that no listing can name. */
function makeBadName(at: string): void {
  execFileSync("sh", ["-c", 'touch "$(printf "bad\\377")"'], { cwd: at });
}

test("digests of an earlier scan are given out in the order of the inputs, without a scan", () => {
  const root = makeTree({ "a/x": "1", "b/x": "1" });
  const [a, b] = [folder(root, "a"), folder(root, "b")];
  const scanner = scannerOf([a, b]);
  const snapshot = scanner.asFound(["digest of a", "digest of b"]);
  rmSync(root, { recursive: true });
  expect([snapshot.digest(a), snapshot.digest(b), snapshot.knownDigest(b)]).toEqual([
    "digest of a",
    "digest of b",
    "digest of b",
  ]);
  expect(snapshot.unreadable()).toEqual([]);
  expect(snapshot.isAsFound).toBe(true);
});

test("a digest that the earlier scan lacks makes one scan, after which none of the earlier digests counts", () => {
  const root = makeTree({ "a/x": "1", "b/x": "1" });
  const [a, b] = [folder(root, "a"), folder(root, "b")];
  const scanner = scannerOf([a, b]);
  const fresh = scanner.scan();
  const snapshot = scanner.asFound(["digest of a", undefined]);
  expect(snapshot.knownDigest(b)).toBe(undefined);
  expect(snapshot.isAsFound).toBe(true);
  expect(snapshot.digest(b)).toBe(fresh.digest(b));
  expect(snapshot.isAsFound).toBe(false);
  expect(snapshot.digest(a)).toBe(fresh.digest(a));
  expect(snapshot.folders()).toEqual(fresh.folders());
  expect(snapshot.look()).toBe(false);
});

test("a look says whether it scanned", () => {
  const root = makeTree({ "a/x": "1" });
  const scanner = scannerOf([folder(root)]);
  expect(scanner.scan().look()).toBe(false);
  const found = scanner.asFound(["earlier"]);
  expect([found.look(), found.look()]).toEqual([true, false]);
});

test("whatever is asked of digests of an earlier scan besides them is answered by a scan", () => {
  const root = makeTree({ "a/x": "1", "a/y": "1" });
  const a = folder(root, "a");
  const scanner = scannerOf([a, file(root, "gone/x")]);
  const scanned = scanner.scan();
  const found = (): ReturnType<typeof scanner.asFound> => scanner.asFound(["earlier"]);
  expect(found().count(a)).toBe(2);
  expect(found().size).toBe(2);
  expect(found().listing(a)).toEqual(scanned.listing(a));
  expect(found().manifest(a)).toEqual(scanned.manifest(a));
  expect(found().statDigest()).toBe(scanned.statDigest());
  expect(found().folders()).toEqual(scanned.folders());
  expect(found().hasYounger(0)).toBe(true);
});

test("what may be kept for later commands are the digests that were computed, in the order of the inputs", () => {
  const root = makeTree({ "a/x": "1", "b/x": "2" });
  const [a, b] = [folder(root, "a"), folder(root, "b")];
  const snapshot = scannerOf([a, b]).scan();
  expect(snapshot.settledDigests()).toEqual([undefined, undefined]);
  const digest = snapshot.digest(b);
  expect(snapshot.settledDigests()).toEqual([undefined, digest]);
});

test("no digest may be kept beside a file that could be written again unseen, or one that could not be read", () => {
  const root = makeTree({ "a/x": "1", "b/x": "1" });
  const [a, b] = [folder(root, "a"), folder(root, "b")];
  const racy = new ProjectScanner([a, b], new ContentHasher({ nowNs: () => 0n })).scan();
  expect(racy.settledDigests()).toEqual([undefined, undefined]);
  racy.digest(a);
  expect(racy.settledDigests()).toBe(undefined);
  const still = scannerOf([a, b]);
  expect(still.scan().settledDigests()).toEqual([undefined, undefined]);
  makeBadName(path.join(root, "b"));
  expect(still.scan().settledDigests()).toBe(undefined);
});

test("what could not be read is named by its absolute path, with the reason", () => {
  const root = makeTree({ "a/x": "1", "b/x": "1" });
  makeBadName(path.join(root, "b"));
  const [all, a, b] = [folder(root), folder(root, "a"), folder(root, "b")];
  const snapshot = scannerOf([all, a, b, folder(root, "../nowhere at all")]).scan();
  const reason = "its name is not valid UTF-8";
  expect(snapshot.unreadable()).toEqual([{ path: path.join(root, "b/bad\uFFFD"), reason }]);
  expect(snapshot.listing(a)?.unreadable).toEqual([]);
  expect(snapshot.listing(b)?.unreadable).toHaveLength(1);
  expect(snapshot.listing(all)?.unreadable).toHaveLength(1);
});

// Rights are a process's: a thread, as a mutation run has it, may not change them.
test.runIf(isMainThread)("a folder that may not be read is not missing, and is watched from above", () => {
  withLockedFolder((root) => {
    const locked = folder(root, "locked");
    const snapshot = scannerOf([locked]).scan();
    expect(snapshot.folders().map(({ path: at, only }) => [at, only])).toContainEqual([root, "locked"]);
    const both = scannerOf([locked, folder(root)]).scan();
    expect(both.digest(locked)).not.toBe("missing");
  });
});

test("an input by its presence alone is there or missing, whatever is in it", () => {
  const root = makeTree({ "a/x": "1", "b/c": null, link: { link: "a/x" }, broken: { link: "nowhere" } });
  const inputs = ["a/x", "b/c", "a", "a/none", "none/x", "link", "broken"].map((name) => presence(root, name));
  const scanner = scannerOf([...inputs, folder(root, "b")]);
  const seen = (): string[] => inputs.map((input) => scanner.scan().digest(input));
  const before = ["there", "there", "there", "missing", "missing", "there", "missing"];
  expect(seen()).toEqual(before);
  writeFileSync(path.join(root, "a/x"), "another");
  writeFileSync(path.join(root, "b/c/new"), "");
  expect(seen()).toEqual(before);
  rmSync(path.join(root, "a"), { recursive: true });
  expect(seen()).toEqual(["missing", "there", "missing", "missing", "missing", "missing", "missing"]);
});

test("an empty folder is not missing, with whichever inputs it is scanned, and one that is not there is", () => {
  const root = makeTree({ empty: null, "a/x": "1" });
  const [all, empty, none] = [folder(root), folder(root, "empty"), folder(root, "none")];
  const together = scannerOf([all, empty, none]).scan();
  const [alone, noneAlone] = [scannerOf([empty]).scan(), scannerOf([none]).scan()];
  expect(together.digest(empty)).toBe(alone.digest(empty));
  expect(together.digest(empty)).not.toBe("missing");
  expect([together.digest(none), noneAlone.digest(none)]).toEqual(["missing", "missing"]);
});

test("a file that is not there is missing, also where an empty folder has its name", () => {
  const root = makeTree({ "a/x": "1", "b/f": null });
  const inputs = ["a/none", "none/x", "a/x", "b/f"].map((name) => file(root, name));
  const snapshot = scannerOf([folder(root, "b"), ...inputs]).scan();
  expect(inputs.map((input) => snapshot.digest(input) === "missing")).toEqual([true, true, false, true]);
});

test("the digest of a file does not depend on the folder that it is scanned with", () => {
  const root = makeTree({ "a/b/x": "1" });
  const input = file(root, "a/b/x");
  expect(
    scannerOf([folder(root), input])
      .scan()
      .digest(input),
  ).toBe(scannerOf([input]).scan().digest(input));
  const nested = folder(root, "a/b");
  expect(
    scannerOf([folder(root), nested])
      .scan()
      .digest(nested),
  ).toBe(scannerOf([nested]).scan().digest(nested));
});

test("digests are taken over only from a scan of the same inputs, which both snapshots are", () => {
  const root = makeTree({ "a/x": "1" });
  const a = folder(root, "a");
  const scanner = scannerOf([a]);
  const before = scanner.scan();
  const digest = before.digest(a);
  const now = scanner.scan();
  now.takeOver(scanner.asFound(["not scanned"]));
  expect(now.knownDigest(a)).toBe(undefined);
  const found = scanner.asFound([undefined]);
  found.takeOver(before);
  expect(found.isAsFound).toBe(true);
  const other = scannerOf([a, folder(root)]).scan();
  other.takeOver(before);
  expect(other.knownDigest(a)).toBe(undefined);
  now.takeOver(before);
  expect(now.knownDigest(a)).toBe(digest);
});

test("the digest of an empty folder is not taken over, as nothing shows that it is still there", () => {
  const root = makeTree({ empty: null, x: "1" });
  const empty = folder(root, "empty");
  const scanner = scannerOf([folder(root), empty]);
  const before = scanner.scan();
  expect(before.digest(empty)).not.toBe("missing");
  rmSync(path.join(root, "empty"), { recursive: true });
  const now = scanner.scan();
  now.takeOver(before);
  expect(now.digest(empty)).toBe("missing");
});

test("a digest is not taken over where a file came, went, or became another one of equal number", () => {
  const root = makeTree({ "a/x": "1", "a/y": "1", "b/x": "1" });
  const [a, b] = [folder(root, "a"), folder(root, "b")];
  const scanner = scannerOf([a, b]);
  const edits: (() => void)[] = [
    () => writeFileSync(path.join(root, "a/z"), ""),
    () => rmSync(path.join(root, "a/z")),
    () => writeFileSync(path.join(root, "a/y"), "2"),
    () => rmSync(path.join(root, "a"), { recursive: true }),
  ];
  let before = scanner.scan();
  for (const edit of edits) {
    for (const input of [a, b]) before.digest(input);
    edit();
    const now = scanner.scan();
    now.takeOver(before);
    expect([now.knownDigest(a), now.knownDigest(b)]).toEqual([undefined, before.digest(b)]);
    before = now;
  }
});

test("no snapshot saw what one of an earlier scan's digests did, as that never looked at the files", () => {
  const root = makeTree({ "a/x": "1" });
  const scanner = scannerOf([folder(root)]);
  const found = scanner.asFound(["earlier"]);
  expect(scanner.scan().saw(found)).toBe(false);
  expect(found.isAsFound).toBe(true);
});

test("a snapshot of other folders did not see the same", () => {
  const root = makeTree({ "a/x": "1", "b/x": "1" });
  const one = scannerOf([folder(root, "a")]).scan();
  const both = scannerOf([folder(root, "a"), folder(root, "b")]).scan();
  expect([one.saw(both), both.saw(one), both.saw(both)]).toEqual([false, false, true]);
});

test("what is only sent along is listed, but no change of it counts", () => {
  const root = makeTree({ "a/x": "1", "a/sent": "1", "b/sent": "1" });
  const input: ScannedInput = { ...folder(root, "a"), filter: { exclude: ["sent"] } };
  const carried = [folder(root, "a"), folder(root, "b")];
  const scanner = scannerOf([input], carried);
  const before = scanner.scan();
  expect(before.count(carried[0]!)).toBe(2);
  expect(before.size).toBe(3);
  writeFileSync(path.join(root, "a/sent"), "another");
  writeFileSync(path.join(root, "b/sent"), "another");
  const sent = scanner.scan();
  expect([sent.saw(before), sent.statDigest() === before.statDigest()]).toEqual([true, true]);
  writeFileSync(path.join(root, "a/x"), "another");
  const edited = scanner.scan();
  expect([edited.saw(sent), edited.statDigest() === sent.statDigest()]).toEqual([false, false]);
});

test("the digest of what `lstat` says holds every field but the times of folders, and which folders are missing", () => {
  const root = makeTree({ "a/b/x": "1" });
  const scanner = scannerOf([folder(root, "a"), folder(root, "c")]);
  const seen = (): string => scanner.scan().statDigest();
  const before = seen();
  utimesSync(path.join(root, "a/b"), 1, 1);
  expect(seen()).toBe(before);
  const digests = [before];
  for (const edit of [
    () => utimesSync(path.join(root, "a/b/x"), 1, 1),
    () => mkdirSync(path.join(root, "c")),
    () => rmSync(path.join(root, "a"), { recursive: true }),
  ]) {
    edit();
    digests.push(seen());
  }
  expect(new Set(digests).size).toBe(4);
  expect(digests[1]!.split(" ")).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/), "missing"]);
});

test("a digest is known once it was computed, and never for what is no input", () => {
  const root = makeTree({ "a/x": "1" });
  const a = folder(root, "a");
  const snapshot = scannerOf([a]).scan();
  expect(snapshot.knownDigest(a)).toBe(undefined);
  const digest = snapshot.digest(a);
  expect(snapshot.knownDigest({ ...a })).toBe(digest);
  expect(snapshot.knownDigest(folder(root))).toBe(undefined);
});

test("what was not scanned is a mistake of the caller that names it", () => {
  const root = makeTree({ "a/x": "1" });
  const snapshot = scannerOf([folder(root, "a")]).scan();
  expect(() => snapshot.digest(folder(root, "b"))).toThrow(`${path.join(root, "b")} was not scanned`);
});

test("a manifest and a listing name files relative to the input, wherever it lies in the scanned folder", () => {
  const root = makeTree({ "a/b/x": "1", "a/b/c/y": "1", z: "1" });
  const [all, nested, one, top] = [folder(root), folder(root, "a/b"), file(root, "a/b/x"), file(root, "z")];
  const snapshot = scannerOf([all, nested, one, top, folder(root, "none")]).scan();
  const names = (input: ScannedInput): unknown => [...snapshot.manifest(input).keys()];
  expect([names(nested), names(one), names(top)]).toEqual([["c", "c/y", "x"], ["x"], ["z"]]);
  expect(names(all)).toEqual(["a", "a/b", "a/b/c", "a/b/c/y", "a/b/x", "z"]);
  expect(snapshot.manifest(nested).get("c")).toMatch(/^d/);
  const listing = snapshot.listing(nested)!;
  expect([listing.root, listing.entries.map((entry) => entry.path)]).toEqual([
    path.join(root, "a/b"),
    ["c", "c/y", "x"],
  ]);
  expect(snapshot.listing(all)?.entries).toHaveLength(6);
  expect(snapshot.count(nested)).toBe(3);
});

test("an input in a folder that is not there has no listing and an empty manifest", () => {
  const root = makeTree();
  const gone = folder(root, "gone");
  const snapshot = scannerOf([gone]).scan();
  expect([snapshot.listing(gone), snapshot.manifest(gone).size, snapshot.count(gone), snapshot.size]).toEqual([
    undefined,
    0,
    0,
    0,
  ]);
  expect(snapshot.hasYounger(0)).toBe(false);
});

test("a file is younger than a time if it was created or changed at that time or later", () => {
  const root = makeTree({ "a/x": "1" });
  const snapshot = scannerOf([folder(root, "a"), folder(root, "none")]).scan();
  const changedMs = Math.floor(statSync(path.join(root, "a/x")).ctimeMs);
  expect([snapshot.hasYounger(changedMs), snapshot.hasYounger(changedMs + 1)]).toEqual([true, false]);
});

test("changes since an earlier snapshot are named relative to the input", () => {
  const root = makeTree({ "a/b/x": "1", z: "1" });
  const [all, nested, top] = [folder(root), folder(root, "a/b"), file(root, "z")];
  const scanner = scannerOf([all, nested, top]);
  const before = scanner.scan();
  for (const input of [all, nested, top]) before.digest(input);
  writeFileSync(path.join(root, "a/b/x"), "2");
  writeFileSync(path.join(root, "z"), "2");
  const now = scanner.scan();
  const change = (at: string): unknown => ({ kind: "file", change: "changed", path: at });
  expect(now.changesSince(before, nested)).toEqual([change("x")]);
  expect(now.changesSince(before, top)).toEqual([change("z")]);
  expect(now.changesSince(before, all)).toEqual([change("a/b/x"), change("z")]);
});

test("changes are unknown since a scan of an earlier process, since a folder came or went, or since a link moved", () => {
  const root = makeTree({ "one/x": "1", "two/x": "2", link: { link: "one" } });
  const input = folder(root, "link");
  const scanner = scannerOf([input]);
  const before = scanner.scan();
  before.digest(input);
  const found = scanner.asFound(["earlier"]);
  writeFileSync(path.join(root, "one/x"), "3");
  expect(scanner.scan().changesSince(found, input)).toBe(undefined);
  expect(found.isAsFound).toBe(true);
  expect(scanner.scan().changesSince(before, input)).toHaveLength(1);
  rmSync(path.join(root, "link"));
  symlinkSync("two", path.join(root, "link"));
  const moved = scanner.scan();
  expect(moved.changesSince(before, input)).toBe(undefined);
  rmSync(path.join(root, "two"), { recursive: true });
  const gone = scanner.scan();
  expect([gone.changesSince(moved, input), moved.changesSince(gone, input)]).toEqual([undefined, undefined]);
});

const watched = (scanner: ProjectScanner, root: string): string[] =>
  scanner
    .scan()
    .folders()
    .map(({ path: at, only }) => `${path.relative(root, at)}${only === undefined ? "" : ` for ${only}`}`)
    .sort();

test("every folder that was entered is watched, and the nearest one above a missing input for that name alone", () => {
  const root = makeTree({ "a/b/x": "1", "c/y": "1" });
  expect(watched(scannerOf([folder(root, "a")]), root)).toEqual(["a", "a/b"]);
  expect(watched(scannerOf([folder(root, "c/d/e")]), root)).toEqual(["c for d"]);
  expect(watched(scannerOf([folder(root, "c/d/e"), folder(root, "c/d/f")]), root)).toEqual(["c for d"]);
});

test("a folder in which two missing names matter, or which was entered as well, is watched as a whole", () => {
  const root = makeTree({ "a/b/x": "1", "c/y": "1" });
  expect(watched(scannerOf([folder(root, "c/d"), folder(root, "c/e")]), root)).toEqual(["c"]);
  const both = scannerOf([folder(root, "a"), file(root, "a/b/x")]);
  expect(watched(both, root)).toEqual(["a", "a/b"]);
  const identities = both
    .scan()
    .folders()
    .map(({ identity }) => identity);
  expect(identities).not.toContain(undefined);
});
